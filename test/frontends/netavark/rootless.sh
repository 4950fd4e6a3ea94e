# A user's Podman in a host of its own, with linkspan in netavark's place. First as root, for the machine's part: $1 is
# the linkspan executable; then as the user, for the rest.
set -u
say() { echo "[$1]"; }
fetch() { nc -w 3 "$@" < /dev/null > /dev/null && echo open || echo closed; }
USER_ID=1234
RANGE=200000:65536

if [ "$(id -u)" = 0 ] && [ "${ROOTLESS_PART:-}" != user ]; then
  for directory in /run /var/lib/containers; do
    mount -t tmpfs -o mode=755 none $directory
  done
  umount -R /sys/fs/cgroup
  mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p /run/lock /run/etc /var/lib/containers/home /run/user/$USER_ID
  printf 'root:x:0:0::/root:/bin/sh\nann:x:%s:%s::/var/lib/containers/home:/bin/sh\n' $USER_ID $USER_ID > /run/etc/passwd
  printf 'root:x:0:\nann:x:%s:\n' $USER_ID > /run/etc/group
  printf 'ann:%s\n' $RANGE > /run/etc/subuid
  cp /run/etc/subuid /run/etc/subgid
  for file in passwd group subuid subgid; do
    [ -e /etc/$file ] && mount --bind /run/etc/$file /etc/$file
  done
  # Everybody's, as udev makes it.
  mknod -m 666 /run/tun c 10 200
  mount --bind /run/tun /dev/net/tun
  chown -R $USER_ID:$USER_ID /var/lib/containers/home /run/user/$USER_ID
  chmod 700 /run/user/$USER_ID
  cd /var/lib/containers/home
  exec setpriv --reuid $USER_ID --regid $USER_ID --clear-groups --inh-caps=-all \
    env -i ROOTLESS_PART=user PATH="$PATH" HOME=/var/lib/containers/home USER=ann XDG_RUNTIME_DIR=/run/user/$USER_ID bash "$0" "$@"
fi

linkspan=$1
mkdir -p ~/.config/containers ~/image/bin
cat > ~/.config/containers/containers.conf << END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000", "memlock=64:64"]
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
END
printf '[storage]\ndriver = "vfs"\n' > ~/.config/containers/storage.conf
podman() { command podman "$@" 2>&1; }
cp /bin/busybox ~/image/bin
for applet in sh ip sleep nslookup httpd true; do ln -s busybox ~/image/bin/$applet; done
tar -C ~/image -c . | command podman import - bb > /dev/null 2> /dev/null

say installed
$linkspan podman install | grep -c wrote
$linkspan podman status | sed 's/.* //'
say running
podman network create --subnet 10.42.0.0/24 n1 > /dev/null
podman network create --subnet 10.43.0.0/24 n2 > /dev/null
podman run -d --name web --network n1 -p 8080:80 bb httpd -f -p 80 | grep -v '^[0-9a-f]*$'
podman run -d --name both --network n1:alias=zwei --network n2 bb sleep 1000 | grep -v '^[0-9a-f]*$'
fetch 127.0.0.1 8080
podman exec both ip -4 -o address | grep -c 'eth[01]'
say names
podman exec both nslookup web.dns.podman 10.42.0.1 | grep -o '10\.42\.0\.2'
podman exec web nslookup zwei 10.42.0.1 | grep -o '10\.42\.0\.3'
say where
podman unshare --rootless-netns nft list tables
ls /run/user/*/containers/networks/linkspan /tmp/podman-run-*/containers/networks/linkspan 2> /dev/null | grep -c 'db$'
ls /var/lib/linkspan /run/linkspan 2> /dev/null
say reloaded
podman network reload web > /dev/null
fetch 127.0.0.1 8080
podman network disconnect n2 both
podman exec both ip -4 -o address | grep -c 'eth[01]'
say removed
podman rm -f -t 0 -a > /dev/null
podman unshare --rootless-netns ip -o link show type bridge
podman unshare --rootless-netns nft list ruleset
echo end
