/*
 * The first code of the executable (scripts/executable.ts puts it before the runtime's own): hands a command to the
 * resident process where one runs, which has an engine open already. Where there is none, or it declines, this returns
 * and the runtime starts as if nothing had been; so nothing may be done here that cannot be taken back. What a command
 * means is the other end's business (serve.ts): here is only which commands go, the bytes of call-bytes.ts, and their answer.
 *
 * Freestanding: system calls only, no writable data, no relocation, mapped wherever there is room.
 */

typedef long word;
typedef unsigned int u32;
typedef int i32;
typedef unsigned char byte;

/* From build-native.ts, which has them from the TypeScript that they belong to. */
#ifndef VERSION_ANSWER
#error "compiled by scripts/build-native.ts"
#endif

#if defined(__x86_64__)
enum { NR_read = 0, NR_write = 1, NR_close = 3, NR_mmap = 9, NR_sigaction = 13, NR_ioctl = 16, NR_dup3 = 292,
       NR_getpid = 39, NR_socket = 41, NR_connect = 42, NR_sendto = 44, NR_recvfrom = 45, NR_getsockopt = 55,
       NR_exit_group = 231, NR_geteuid = 107, NR_lseek = 8, NR_execve = 59, NR_getcwd = 79, NR_ppoll = 271,
       NR_memfd_create = 319 };
#elif defined(__aarch64__)
enum { NR_read = 63, NR_write = 64, NR_close = 57, NR_mmap = 222, NR_sigaction = 134, NR_ioctl = 29, NR_dup3 = 24,
       NR_getpid = 172, NR_socket = 198, NR_connect = 203, NR_sendto = 206, NR_recvfrom = 207, NR_getsockopt = 209,
       NR_exit_group = 94, NR_geteuid = 175, NR_lseek = 62, NR_execve = 221, NR_getcwd = 17, NR_ppoll = 73,
       NR_memfd_create = 279 };
#else
#error "linkspan knows x86_64 and aarch64"
#endif

static inline word call6(word nr, word a, word b, word c, word d, word e, word f)
{
#if defined(__x86_64__)
	register word r10 __asm__("r10") = d;
	register word r8 __asm__("r8") = e;
	register word r9 __asm__("r9") = f;
	word result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	register word x8 __asm__("x8") = nr;
	register word x0 __asm__("x0") = a;
	register word x1 __asm__("x1") = b;
	register word x2 __asm__("x2") = c;
	register word x3 __asm__("x3") = d;
	register word x4 __asm__("x4") = e;
	register word x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

#define call(nr, a, b, c) call6(NR_##nr, (word)(a), (word)(b), (word)(c), 0, 0, 0)

enum { EINTR = 4, EAGAIN = 11, EPIPE = 32 };
enum { STDIN, STDOUT, STDERR };

/*
 * The runtime's own entry point, which gets the stack and the registers as the dynamic linker left them. How far it is
 * from here is written by scripts/executable.ts into the eight bytes before `start`.
 */
#if defined(__x86_64__)
__asm__(".pushsection .text.entry,\"ax\"\n"
	"runtime: .quad 0\n"
	".globl start\n"
	"start:\n"
	"	push %rdx\n" /* what to call at exit (System V ABI, AMD64 supplement 3.4.1) */
	"	lea 8(%rsp), %rdi\n"
	"	sub $8, %rsp\n" /* aligned to 16 at the call */
	"	call hand_over\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	lea start(%rip), %rax\n"
	"	add runtime(%rip), %rax\n"
	"	jmp *%rax\n"
	".popsection\n");
#else
__asm__(".pushsection .text.entry,\"ax\"\n"
	"runtime: .quad 0\n"
	".globl start\n"
	"start:\n"
	"	stp x0, x30, [sp, #-16]!\n" /* x0: what to call at exit */
	"	add x0, sp, #16\n"
	"	bl hand_over\n"
	"	ldp x0, x30, [sp], #16\n"
	"	adr x16, start\n"
	"	ldr x17, runtime\n"
	"	add x16, x16, x17\n"
	"	br x16\n"
	".popsection\n");
#endif

/* Strings */

static u32 length(const char *text)
{
	u32 n = 0;
	while (text[n])
		n++;
	return n;
}

static int starts(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return 1;
}

static int same(const char *a, const char *b)
{
	return starts(a, b) && length(a) == length(b);
}

static const char *base_name(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

/* The value of a variable, or 0. */
static const char *variable(char **env, const char *name)
{
	for (; *env; env++)
		if (starts(*env, name) && (*env)[length(name)] == '=')
			return *env + length(name) + 1;
	return 0;
}

/* Which commands are handed over */

struct command {
	const char *door;
	char **args;
	int reads; /* its standard input */
};

/* By the program's name or the first argument, as main.ts finds it. */
static struct command find_command(word argc, char **argv, char **env)
{
	struct command none = { 0, 0, 0 };
	const char *called = base_name(argv[0]);
	const char *first = argc > 1 ? argv[1] : "";
	int ours = same(called, "linkspan");
	char **args = argv + 1;
	if (ours && argc == 1 && variable(env, "CNI_COMMAND")) {
		called = "__cni";
	} else if (ours && (same(first, "netavark") || same(first, "__cni"))) {
		called = first;
		args++;
	}
	if ((same(called, "__cni") || same(called, "linkspan-ipam")) && variable(env, "CNI_COMMAND"))
		return (struct command){ called, args, 1 };
	if (same(called, "netavark")) {
		int changes = 0;
		for (char **arg = args; *arg; arg++) {
			changes |= same(*arg, "setup") || same(*arg, "teardown");
			/* Plugins are children of whoever calls netavark, and a file is the caller's to read. */
			if (starts(*arg, "-f") || starts(*arg, "--file") || starts(*arg, "--plugin-directory"))
				return none;
		}
		return changes ? (struct command){ "netavark", args, 1 } : none;
	}
	/* Those that change something, and have nothing to do with a terminal. */
	if (ours && (same(first, "attach") || same(first, "detach") || same(first, "publish") ||
		     same(first, "unpublish") || same(first, "network")))
		return (struct command){ "linkspan", args, 0 };
	return none;
}

#define TCGETS 0x5401 /* ioctl_tty(2) */

static int is_terminal(int file)
{
	byte termios[64];
	return call(ioctl, file, TCGETS, termios) == 0;
}

/* Files and memory */

static int wait_for(int file, short events)
{
	struct { int fd; short events, revents; } poll = { file, events, 0 };
	return call6(NR_ppoll, (word)&poll, 1, 0, 0, 0, 0) >= 0;
}

enum { POLLIN = 1, POLLOUT = 4 };

/* Bytes read, 0 at the end, or -errno. */
static word read_some(int file, byte *to, u32 size)
{
	for (;;) {
		word got = call(read, file, to, size);
		if (got == -EAGAIN)
			wait_for(file, POLLIN);
		else if (got != -EINTR)
			return got;
	}
}

/* 0, or -errno. */
static word write_all(int file, const byte *from, u32 size)
{
	while (size > 0) {
		word put = call(write, file, from, size);
		if (put >= 0) {
			from += put;
			size -= put;
		} else if (put == -EAGAIN) {
			wait_for(file, POLLOUT);
		} else if (put != -EINTR) {
			return put;
		}
	}
	return 0;
}

static byte *memory(word size)
{
	enum { PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 32, MAP_NORESERVE = 0x4000 };
	word at = call6(NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at < 0 && at > -4096 ? 0 : (byte *)at;
}

/* What was read from standard input is there again for who reads it next. False when it cannot be. */
static int give_back(const byte *input, u32 size)
{
	byte rest[4096];
	word got;
	word file = call(memfd_create, "input", 0, 0);
	if (file < 0 || write_all(file, input, size) < 0)
		return 0;
	while ((got = read_some(STDIN, rest, sizeof(rest))) > 0)
		if (write_all(file, rest, got) < 0)
			return 0;
	call(lseek, file, 0, 0);
	call(dup3, file, STDIN, 0);
	call(close, file, 0, 0);
	return 1;
}

static void end(int status) __attribute__((noreturn));
static void end(int status)
{
	for (;;)
		call(exit_group, status, 0, 0);
}

static void say(const char *text)
{
	write_all(STDERR, (const byte *)text, length(text));
}

/* The call, as call-bytes.ts reads it */

#define LONGEST_CALL (4 << 20)

struct call_head {
	byte kind[4];
	u32 size, pid, arg_count, variable_count, input_size;
};

struct text {
	byte *bytes;
	u32 size, room;
};

/* With its NUL. False when there is no room. */
static int put(struct text *to, const char *from)
{
	u32 size = length(from) + 1;
	if (size > to->room - to->size)
		return 0;
	for (u32 i = 0; i < size; i++)
		to->bytes[to->size++] = from[i];
	return 1;
}

static int put_list(struct text *to, char **list, u32 *count)
{
	for (; *list; list++, ++*count)
		if (!put(to, *list))
			return 0;
	return 1;
}

static int put_directory(struct text *to)
{
	word size = call(getcwd, to->bytes + to->size, to->room - to->size, 0);
	if (size <= 0 || to->bytes[to->size] != '/')
		return 0;
	to->size += size;
	return 1;
}

/* All of standard input. False when it is longer than a call may be, or cannot be read. */
static int put_input(struct text *to, u32 *read)
{
	for (;;) {
		word got = read_some(STDIN, to->bytes + to->size, to->room - to->size);
		if (got <= 0)
			return got == 0 && to->size < to->room;
		to->size += got;
		*read += got;
	}
}

/* The connection */

struct unix_address {
	unsigned short family;
	char path[108];
};

/* As the engine chooses the run directory, but for options: a call that names another place is declined. */
static int find_socket(char **env, struct unix_address *address)
{
	struct text path = { (byte *)address->path, 0, sizeof(address->path) };
	const char *run = variable(env, "LINKSPAN_RUN_DIR");
	const char *state = variable(env, "LINKSPAN_STATE_DIR");
	address->family = 1; /* AF_UNIX */
	if (!put(&path, run ? run : state ? state : "/run/linkspan"))
		return 0;
	path.size--;
	if (!run && state) {
		if (!put(&path, "/run"))
			return 0;
		path.size--;
	}
	return put(&path, "/calls.sock");
}

/* A connected socket whose other end is this user's, or a negative number. */
static int connect_to(const struct unix_address *address)
{
	enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_CLOEXEC = 02000000, SOL_SOCKET = 1, SO_PEERCRED = 17 };
	struct { u32 pid, uid, gid; } peer = { 0, 0, 0 };
	u32 size = sizeof(peer);
	word socket = call(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (socket < 0)
		return -1;
	if (call(connect, socket, address, sizeof(*address)) == 0 &&
	    call6(NR_getsockopt, socket, SOL_SOCKET, SO_PEERCRED, (word)&peer, (word)&size, 0) == 0 &&
	    peer.uid == (u32)call(geteuid, 0, 0, 0))
		return socket;
	call(close, socket, 0, 0);
	return -1;
}

static int send_all(int socket, const byte *from, u32 size)
{
	enum { MSG_NOSIGNAL = 0x4000 };
	while (size > 0) {
		word sent = call6(NR_sendto, socket, (word)from, size, MSG_NOSIGNAL, 0, 0);
		if (sent == -EINTR)
			continue;
		if (sent <= 0)
			return 0;
		from += sent;
		size -= sent;
	}
	return 1;
}

static int receive_all(int socket, byte *to, u32 size)
{
	while (size > 0) {
		word got = call6(NR_recvfrom, socket, (word)to, size, 0, 0, 0);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return 0;
		to += got;
		size -= got;
	}
	return 1;
}

/* The answer */

#define LONGEST_ANSWER (64 << 20)

struct answer_head {
	i32 status; /* below 0: declined */
	u32 out_size, err_size;
};

static void tell(const struct answer_head *head, const byte *text) __attribute__((noreturn));
static void tell(const struct answer_head *head, const byte *text)
{
	/* struct sigaction of the kernel: handler, flags, restorer, mask */
	word ignore[4] = { 1 /* SIG_IGN */, 0, 0, 0 };
	word written;
	call6(NR_sigaction, 13 /* SIGPIPE */, (word)ignore, 0, 8, 0, 0);
	write_all(STDERR, text + head->out_size, head->err_size);
	written = write_all(STDOUT, text, head->out_size);
	/* A reader that has seen enough is no failure. */
	if (written < 0 && written != -EPIPE) {
		say("linkspan: What was asked for is done, but its result could not be written\n");
		end(OUTPUT_FAILED);
	}
	end(head->status);
}

/* Nobody can say how far it came. The front door tells so in its own form: this starts again as that. */
static void tell_lost(char **argv, char **env) __attribute__((noreturn));
static void tell_lost(char **argv, char **env)
{
	u32 count = 0;
	while (env[count])
		count++;
	{
		char **marked = (char **)memory((count + 2) * sizeof(char *));
		if (marked) {
			for (u32 i = 0; i < count; i++)
				marked[i] = env[i];
			marked[count] = LOST_MARK;
			marked[count + 1] = 0;
			call(execve, "/proc/self/exe", argv, marked);
		}
	}
	say("linkspan: Cannot say whether this was done: the resident process ended in the middle of it\n");
	end(DAEMON_LOST);
}

enum outcome { DECLINED, LOST };

/* Does not return when there is an answer. */
static enum outcome ask(int socket, const struct text *text)
{
	struct answer_head head;
	byte *said;
	word size;
	if (!send_all(socket, text->bytes, text->size) || !receive_all(socket, (byte *)&head, sizeof(head)))
		return LOST;
	if (head.status < 0)
		return DECLINED;
	size = (word)head.out_size + head.err_size;
	said = size <= LONGEST_ANSWER ? memory(size + 1) : 0;
	if (said && receive_all(socket, said, size))
		tell(&head, said);
	return LOST;
}

/* Writes the call, sends it, and leaves standard input as it was when nothing came of it. */
static enum outcome carry(int socket, const struct command *command, char **env)
{
	struct text text = { memory(LONGEST_CALL), sizeof(struct call_head), LONGEST_CALL };
	struct call_head *head = (struct call_head *)text.bytes;
	enum outcome outcome = DECLINED;
	if (!head)
		return DECLINED;
	if (put(&text, command->door) && put_directory(&text) && put_list(&text, command->args, &head->arg_count) &&
	    put_list(&text, env, &head->variable_count) && (!command->reads || put_input(&text, &head->input_size))) {
		for (u32 i = 0; i < sizeof(head->kind); i++)
			head->kind[i] = "CALL"[i];
		head->size = text.size;
		head->pid = call(getpid, 0, 0, 0);
		outcome = ask(socket, &text);
	}
	if (head->input_size > 0 && !give_back(text.bytes + text.size - head->input_size, head->input_size)) {
		say("linkspan: Cannot give back what was read from standard input\n");
		end(OUTPUT_FAILED);
	}
	return outcome;
}

/* A CNI runtime asks this of every plugin, again and again; it needs nothing that is not here. */
static int is_version(const struct command *command, char **env)
{
	const char *verb = variable(env, "CNI_COMMAND");
	return (same(command->door, "__cni") || same(command->door, "linkspan-ipam")) && same(verb, "VERSION");
}

/* Returns when the command's own process must do it. `stack` begins with the arguments' count (execve(2), the ABI). */
__attribute__((used)) void hand_over(word *stack)
{
	word argc = stack[0];
	char **argv = (char **)(stack + 1);
	char **env = argv + argc + 1;
	struct command command;
	struct unix_address address;
	enum outcome outcome;
	int socket;

	if (argc < 1 || variable(env, LOST_NAME))
		return;
	command = find_command(argc, argv, env);
	if (!command.door)
		return;
	if (is_version(&command, env)) {
		const struct answer_head head = { 0, sizeof(VERSION_ANSWER) - 1, 0 };
		tell(&head, (const byte *)VERSION_ANSWER);
	}
	/* On a terminal there is progress to show, and colour. */
	if (!command.reads && (is_terminal(STDOUT) || is_terminal(STDERR) || variable(env, "FORCE_COLOR")))
		return;
	if (!find_socket(env, &address))
		return;
	socket = connect_to(&address);
	if (socket < 0)
		return;
	outcome = carry(socket, &command, env);
	call(close, socket, 0, 0);
	if (outcome == LOST)
		tell_lost(argv, env);
}
