# Podman with its CNI backend in a host of its own (namespaces of network, mounts and processes).
# $1: directory with the plugins and the lists ("plugins", "net.d"), $2: a program that is the linkspan command line.
set -u
for directory in /run /var/lib/containers /var/lib/cni /var/lib/linkspan; do
  mkdir -p $directory
  mount -t tmpfs -o mode=755 none $directory
done
mkdir -p /run/lock /run/libpod /run/image/bin /run/image/etc
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
cat > /run/containers.conf <<END
[network]
network_backend = "cni"
cni_plugin_dirs = ["$1/plugins"]
network_config_dir = "$1/net.d"
default_network = "lab"
END
export CONTAINERS_CONF=/run/containers.conf
linkspan=$2
podman() { command podman --storage-driver vfs --cgroup-manager cgroupfs "$@" 2>&1; }
run() { podman run --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "$@"; }
fetch() { nc -w 3 "$@" < /dev/null > /dev/null && echo open || echo closed; }
say() { echo "[$1]"; }

cp /bin/busybox /run/image/bin
for applet in sh ip sleep nslookup httpd cat true; do ln -s busybox /run/image/bin/$applet; done
tar -C /run/image -c . | command podman --storage-driver vfs import - bb > /dev/null 2>&1

say backend
podman info --format '{{.Host.NetworkBackend}}'
podman network ls --format '{{.Name}} {{.Driver}}'
say asked
run --rm --ip 10.77.1.9 --mac-address 02:11:22:33:44:66 bb ip -o address show eth0
say published
run -d --name web -p 8080:80 --network-alias www bb httpd -f -p 80 > /dev/null
fetch 127.0.0.1 8080
say views
$linkspan ps -q
say names
run --rm bb nslookup www 10.77.1.1 | grep -o '^Address: 10.77.1.[0-9]*$'
say conflict
run --rm -p 8080:80 bb true | grep -o 'published by container "web"'
say second
podman network connect back web
podman exec web ip -4 -o address show eth1 | grep -o 10.78.1.[0-9]*/24
podman network disconnect back web
podman exec web ip -4 -o address show eth1 > /dev/null && echo there || echo gone
say reloaded
podman network reload web > /dev/null
fetch 127.0.0.1 8080
say removed
podman rm -f -t 0 -a > /dev/null
$linkspan network ls -q
$linkspan ps --all -q
ip -o link | cut -d: -f2
nft list ruleset
