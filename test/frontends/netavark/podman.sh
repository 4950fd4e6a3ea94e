# Podman in a host of its own (namespaces of network, mounts and processes), with linkspan in netavark's place.
# $1: the linkspan executable.
set -u
linkspan=$1
for directory in /run /var/lib/containers /var/lib/linkspan; do
  mkdir -p $directory
  mount -t tmpfs -o mode=755 none $directory
done
cp -a /etc/containers /run/etc-containers
mount -t tmpfs -o mode=755 none /etc/containers
cp -a /run/etc-containers/. /etc/containers
mkdir -p /run/lock /run/libpod /run/image/bin /run/image/etc
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
# Within what this machine lets anybody have.
cat > /etc/containers/containers.conf << END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000", "memlock=64:64"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
END
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' > /etc/containers/storage.conf
podman() { command podman "$@" 2>&1; }
run() { podman run "$@"; }
fetch() { nc -w 3 "$@" < /dev/null > /dev/null && echo open || echo closed; }
say() { echo "[$1]"; }

cp /bin/busybox /run/image/bin
for applet in sh ip sleep nslookup httpd cat true; do ln -s busybox /run/image/bin/$applet; done
tar -C /run/image -c . | command podman import - bb > /dev/null 2>&1

say installed
$linkspan podman install --bin-dir /run/helpers | grep -c wrote
$linkspan podman status --bin-dir /run/helpers | sed 's/.* //'
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
say pod
podman pod create --name p1 --infra-image bb --infra-command 'sleep 1000' -p 8085:80 --network n1 > /dev/null
run -d --pod p1 --name front bb httpd -f -p 80 > /dev/null
run -d --pod p1 --name side bb sleep 1000 > /dev/null
fetch 127.0.0.1 8085
podman exec side sh -c 'busybox nc 127.0.0.1 80 < /dev/null && echo open'
podman pod rm -f -t 0 p1 > /dev/null
say compose
mkdir /run/app
cat > /run/app/docker-compose.yml << END
services:
  web:
    image: localhost/bb
    command: httpd -f -p 80
    ports: ["8086:80"]
    networks: [inner]
  side:
    image: localhost/bb
    command: sleep 1000
    networks: [inner]
networks:
  inner: {}
END
(cd /run/app && podman-compose --no-ansi up -d) > /run/compose.log 2>&1
fetch 127.0.0.1 8086
podman exec app_side_1 nslookup web.dns.podman | grep -c 10.89
(cd /run/app && podman-compose --no-ansi down -t 0) >> /run/compose.log 2>&1
say resident
test -S /run/linkspan/calls.sock && echo there
say removed
podman rm -f -t 0 -a > /dev/null
$linkspan network ls --output json
$linkspan ps --all --output json
ip -o link
nft list ruleset
ls /run/containers/networks/aardvark-dns
$linkspan podman uninstall --bin-dir /run/helpers | grep -c removed
cat /proc/sys/net/ipv4/ip_forward
