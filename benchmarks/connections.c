/*
 * TCP connections as fast as one thread can make them. Compiled by bun:ffi's cc(), so: no headers, the few
 * declarations by hand (Linux, little-endian, 64 bit).
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

struct timespec {
	long seconds;
	long nanoseconds;
};

struct pollfd {
	int fd;
	short events;
	short revents;
};

int socket(int family, int type, int protocol);
int bind(int fd, const void *address, u32 length);
int listen(int fd, int backlog);
int accept(int fd, void *address, u32 *length);
int connect(int fd, const void *address, u32 length);
int setsockopt(int fd, int level, int name, const void *value, u32 length);
int clock_gettime(int clock, struct timespec *time);
int poll(struct pollfd *fds, unsigned long count, int timeout);
int close(int fd);

#define AF_INET 2
#define SOCK_STREAM 1
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_LINGER 13
#define CLOCK_MONOTONIC 1
#define POLLIN 1

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.seconds + time.nanoseconds / 1e9;
}

static struct sockaddr_in endpoint(u32 address, int port)
{
	struct sockaddr_in to = { AF_INET, (u16)((port & 255) << 8 | port >> 8), address, { 0 } };
	return to;
}

/* Accepts and closes until killed. Returns only when it cannot listen. */
int serve(int port)
{
	struct sockaddr_in any = endpoint(0, port);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, &any, sizeof any) || listen(fd, 65535))
		return -1;
	for (;;) {
		int peer = accept(fd, 0, 0);
		if (peer >= 0)
			close(peer);
	}
}

/*
 * Connects, one after the other, for so many seconds; returns connections per second, or -1 when one was refused. Each
 * is reset by the client once the server has closed it: no TIME_WAIT fills the port range, and a server that falls
 * behind slows the client instead of overflowing its queue.
 */
double rate(u32 address, int port, double seconds)
{
	struct sockaddr_in to = endpoint(address, port);
	struct linger reset = { 1, 0 };
	double began = now();
	long count = 0;
	while (now() - began < seconds) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		struct pollfd closed = { fd, POLLIN, 0 };
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		if (connect(fd, &to, sizeof to))
			return -1;
		poll(&closed, 1, 1000);
		close(fd);
		count++;
	}
	return count / (now() - began);
}
