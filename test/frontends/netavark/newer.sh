# A later Podman in a root of its own ($1), with linkspan ($2) in netavark's place. What is not Podman's is busybox.
set -u
say() { echo "[$1]"; }
root=$1
mount --bind $root $root
cd $root
mkdir -p proc sys dev run tmp root etc/containers var/lib/containers var/tmp
for directory in run etc tmp root var/lib/containers var/tmp; do
  [ $directory = etc ] && cp -a etc /tmp/etc.$$
  mount -t tmpfs -o mode=755 none $directory
  [ $directory = etc ] && cp -a /tmp/etc.$$/. etc && rm -rf /tmp/etc.$$
done
mkdir -p run/lock run/bin run/old etc/containers
cp $2 run/bin/linkspan
cp /bin/busybox run/bin
for tool in umount mount cat mkdir cp ln grep sed tar nc rm id sleep wc seq; do ln -s busybox run/bin/$tool; done
mount --rbind /dev dev
mount -t proc none proc
mount --rbind /sys sys
pivot_root . run/old
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/bin HOME=/root
umount -l /run/old
for mounted in /sys/fs/cgroup/* /sys/fs/cgroup; do umount $mounted 2> /dev/null; done
mount -t cgroup2 none /sys/fs/cgroup
cat > /etc/containers/containers.conf << END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000", "memlock=64:64"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
END
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' > /etc/containers/storage.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' > /etc/containers/policy.json
echo 'root:x:0:0::/root:/bin/sh' > /etc/passwd
# A server that has only been started may not listen yet.
fetch() {
  for attempt in $(seq 50); do
    nc -w 3 "$@" < /dev/null > /dev/null 2>&1 && echo open && return
    sleep 0.1
  done
  echo closed
}
quiet() { "$@" > /run/out 2>&1 || cat /run/out; }

mkdir -p /run/image/bin
cp /run/bin/busybox /run/image/bin
for applet in sh ip sleep nslookup httpd true; do ln -s busybox /run/image/bin/$applet; done
tar -C /run/image -c . > /run/image.tar
quiet podman import /run/image.tar localhost/bb

say installed
linkspan=/run/bin/linkspan
$linkspan podman install --bin-dir /run/helpers | grep -c wrote
podman info 2> /dev/null | grep -o '\(netavark\|aardvark-dns\) .*linkspan'
say running
quiet podman network create --ipv6 n1
quiet podman network create -o isolate=false --subnet 10.44.0.0/24 n2
quiet podman network create --internal n3
quiet podman run -d --name web --network n1 -p 8080:80 -p 9000-9002:9000-9002/udp bb httpd -f -p 80
quiet podman run -d --name both --network n1:alias=zwei --network n2 bb sleep 1000
fetch 127.0.0.1 8080
fetch ::1 8080
podman exec both ip -4 -o address | grep -c 'eth[01]'
podman exec both nslookup web.dns.podman | grep -c '^Address.*10\.89'
podman exec web nslookup zwei | grep -c '^Address.*10\.89'
podman run --rm --network n3 bb ip route | grep -c default
say changed
quiet podman network reload web
fetch 127.0.0.1 8080
quiet podman network disconnect n2 both
podman exec both ip -4 -o address | grep -c 'eth[01]'
quiet podman network connect n2 both
podman exec both ip -4 -o address | grep -c 'eth[01]'
quiet podman network update n1 --dns-add 192.0.2.53
grep -c 192.0.2.53 /run/containers/networks/aardvark-dns/n1
quiet podman restart -t 0 web
fetch 127.0.0.1 8080
say quadlet
mkdir /run/units
printf '[Network]\nSubnet=10.45.0.0/24\n' > /run/units/q.network
printf '[Container]\nImage=localhost/bb\nExec=httpd -f -p 80\nNetwork=q.network\nPublishPort=8090:80\n' > /run/units/q.container
QUADLET_UNIT_DIRS=/run/units /usr/libexec/podman/quadlet -dryrun > /run/generated 2>&1
# What systemd would start, without what only systemd has.
grep '^ExecStart=' /run/generated | grep 'network create' | sed 's/^ExecStart=//' > /run/start
grep '^ExecStart=' /run/generated | grep -v 'network create' | sed 's/^ExecStart=//; s/--cgroups=split//; s/--sdnotify=[a-z]*//; s/%N/q/g; s/%[a-zA-Z]/x/g' >> /run/start
quiet busybox sh /run/start
fetch 127.0.0.1 8090
say removed
quiet podman rm -f -t 0 -a
$linkspan network ls -o json
ip -o link | wc -l
nft list ruleset
echo end
