# Podman in a host of its own (namespaces of network, mounts and processes), with linkspan as its netavark.
# $1: directory with the netavark and aardvark-dns to use, $2: a program that is the linkspan command line.
set -u
for directory in /run /etc/containers/networks /var/lib/containers /var/lib/linkspan; do
  mkdir -p $directory
  mount -t tmpfs -o mode=755 none $directory
done
mkdir -p /run/lock /run/libpod /run/image/bin /run/image/etc
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
export CONTAINERS_HELPER_BINARY_DIR=$1
linkspan=$2
podman() { command podman --storage-driver vfs --cgroup-manager cgroupfs "$@" 2>&1; }
run() { podman run --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "$@"; }
fetch() { nc -w 3 "$@" < /dev/null > /dev/null && echo open || echo closed; }
say() { echo "[$1]"; }

cp /bin/busybox /run/image/bin
for applet in sh ip sleep nslookup httpd cat true; do ln -s busybox /run/image/bin/$applet; done
tar -C /run/image -c . | command podman --storage-driver vfs import - bb > /dev/null 2>&1

say addresses
run --rm bb ip -4 -o address show eth0
say published
run -d --name web -p 8080:80 -p 9000-9003:9000-9003/udp -p 127.0.0.1:8081:80 bb httpd -f -p 80 > /dev/null
fetch 127.0.0.1 8080
fetch 127.0.0.1 8081
say views
$linkspan network ls --output json
$linkspan ps --output json
say names
podman network create --ipv6 --subnet 10.42.0.0/24 --subnet fd00:42::/64 n1 > /dev/null
podman network create n2 > /dev/null
run -d --name one --network n1:ip=10.42.0.9,mac=aa:bb:cc:dd:ee:01 --network-alias uno bb sleep 1000 > /dev/null
run -d --name two --network n1 bb sleep 1000 > /dev/null
podman exec two nslookup uno.dns.podman 10.42.0.1 | grep 10.42.0.9
podman exec one ip link show eth0 | grep -o aa:bb:cc:dd:ee:01
say connected
podman network connect n2 one
podman exec one ip -4 -o address show eth1 | grep -o eth1 | head -n 1
podman exec one ip route | grep -c default
podman network disconnect n2 one
podman exec one ip -4 -o address show eth1 > /dev/null && echo there || echo gone
say reloaded
podman network reload web > /dev/null
fetch 127.0.0.1 8080
say restarted
podman restart -t 0 web > /dev/null
fetch 127.0.0.1 8080
say conflict
run --rm -p 8080:80 bb true | grep -o 'published by container "web"'
say internal
podman network create --internal n3 > /dev/null
run --rm --network n3 bb ip route | grep -c default
say removed
podman rm -f -t 0 -a > /dev/null
$linkspan network ls --output json
$linkspan ps --all --output json
ip -o link
nft list ruleset
cat /proc/sys/net/ipv4/ip_forward
