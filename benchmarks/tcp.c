/*
 * TCP between two network namespaces by one thread that holds both ends (a socket keeps its namespace for life), so
 * that nothing is measured but what the kernel does for the packets: no wake-ups, no second processor, and processor
 * time instead of the clock, which leaves out what other processes do meanwhile. Compiled by bun:ffi's cc(), so: no
 * headers, the few declarations by hand (Linux, little-endian, 64 bit).
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

struct sockaddr_in {
	u16 family;
	u16 port;
	u32 address;
	u8 zero[8];
};

struct linger {
	int on;
	int seconds;
};

struct timeval {
	long seconds;
	long microseconds;
};

struct timespec {
	long seconds;
	long nanoseconds;
};

int socket(int family, int type, int protocol);
int bind(int fd, const void *address, u32 length);
int listen(int fd, int backlog);
int accept(int fd, void *address, u32 *length);
int connect(int fd, const void *address, u32 length);
int setsockopt(int fd, int level, int name, const void *value, u32 length);
long send(int fd, const void *bytes, unsigned long length, int flags);
long recv(int fd, void *bytes, unsigned long length, int flags);
int clock_gettime(int clock, struct timespec *time);
int open(const char *path, int flags);
int close(int fd);
int setns(int fd, int type);

#define AF_INET 2
#define SOCK_STREAM 1
#define SOL_SOCKET 1
#define SO_LINGER 13
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define MSG_DONTWAIT 0x40
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLONE_NEWNET 0x40000000

/* Nothing waits longer: a lost packet ends the measurement instead of stretching it. */
static const struct timeval deadline = { 5, 0 };

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.seconds + time.nanoseconds / 1e9;
}

static u16 big_endian(int port)
{
	return (u16)((port & 255) << 8 | port >> 8);
}

/* A listening socket in the namespace at path; the thread stays in its own. */
int serve(const char *path, int port)
{
	struct sockaddr_in any = { AF_INET, big_endian(port), 0, { 0 } };
	int home = open("/proc/thread-self/ns/net", 0);
	int there = open(path, 0);
	int fd;
	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (setns(home, CLONE_NEWNET) || bind(fd, &any, sizeof any) || listen(fd, 16))
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
	close(home);
	close(there);
	return fd;
}

/* Both ends of a new connection; 0 when that failed. */
static int meet(int listener, u32 address, int port, int *client, int *server)
{
	struct sockaddr_in to = { AF_INET, big_endian(port), address, { 0 } };
	struct linger reset = { 1, 0 };
	*client = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(*client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	setsockopt(*client, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
	if (connect(*client, &to, sizeof to))
		return 0;
	*server = accept(listener, 0, 0);
	return *server >= 0;
}

/* Connections per second of processor time, each reset by the client, so that no TIME_WAIT fills the port range. */
double connections(int listener, u32 address, int port, double seconds)
{
	double began = now();
	long count = 0;
	while (now() - began < seconds) {
		int client, server;
		if (!meet(listener, address, port, &client, &server))
			return -1;
		close(client);
		close(server);
		count++;
	}
	return count / (now() - began);
}

static u8 buffer[1 << 16];

/* Bytes per second of processor time through one connection. */
double stream(int listener, u32 address, int port, double seconds)
{
	int client, server;
	double began, bytes = 0;
	if (!meet(listener, address, port, &client, &server))
		return -1;
	began = now();
	while (now() - began < seconds) {
		long got;
		send(client, buffer, sizeof buffer, MSG_DONTWAIT);
		while ((got = recv(server, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
			bytes += got;
	}
	bytes /= now() - began;
	close(client);
	close(server);
	return bytes;
}
