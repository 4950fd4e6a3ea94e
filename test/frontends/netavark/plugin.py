#!/usr/bin/python3 -IS
# A network plugin for tests: a link in the container; writes down how it was called beside itself, in calls.
import json, os, subprocess, sys

here = os.path.dirname(os.path.realpath(__file__))
name = os.path.basename(sys.argv[0])
request = json.loads(sys.stdin.read() or "null")
with open(os.path.join(here, "calls"), "a") as calls:
    calls.write(json.dumps({"plugin": name, "args": sys.argv[1:], "request": request}) + "\n")


def fail(message):
    print(json.dumps({"error": message}))
    sys.exit(1)


verb = sys.argv[1]
if verb == "info":
    print(json.dumps({"version": "1", "api_version": "1.0.0"}))
elif verb == "create":
    request["options"] = {**(request.get("options") or {}), "made": "by plugin"}
    if (request.get("options") or {}).get("renames"):
        request["name"] = "another"
    print(json.dumps(request))
else:
    netns = sys.argv[2]
    options = request["network_options"]
    behaviour = (request["network"].get("options") or {}).get("behaviour", "")
    ifname = options["interface_name"]
    if verb == "teardown":
        subprocess.run(["nsenter", "--net=" + netns, "ip", "link", "delete", ifname], stderr=subprocess.DEVNULL)
        if behaviour == "stuck-teardown":
            fail("cannot let go")
        sys.exit(0)
    subprocess.run(["nsenter", "--net=" + netns, "ip", "link", "add", ifname, "type", "bridge"], check=True)
    print("made " + ifname, file=sys.stderr)
    if behaviour == "fails":
        fail("no such wire")
    if behaviour == "crashes":
        sys.exit(3)
    if behaviour == "killed":
        os.kill(os.getpid(), 9)
    if behaviour == "hangs":
        subprocess.run(["sleep", "1000"])
    if behaviour == "babbles":
        print("not JSON")
        sys.exit(0)
    if behaviour == "floods":
        while True:
            print("x" * 4096)
    print(json.dumps({
        "dns_search_domains": [], "dns_server_ips": ["192.0.2.53"],
        "interfaces": {ifname: {"mac_address": options.get("static_mac") or "02:00:5e:00:53:01",
                                "subnets": [{"ipnet": "10.77.0.2/24", "gateway": "10.77.0.1"}]}},
    }))
