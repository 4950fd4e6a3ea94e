/*
 * The machine code that JavaScript cannot be: what a thread or a process must run while it is in a foreign namespace.
 * Freestanding: no header, no library, no data section, no relocation, so that .text alone can be mapped anywhere
 * (scripts/build-native.ts extracts it into native-code.ts and refuses anything else).
 */

typedef long word;

/* One call of a list; the TypeScript side writes the same 64 bytes (call-list.ts). */
struct call {
	word target;   /* below 4096: a raw system call number; else the address of a C function; -1 ends the list */
	word args[6];
	word result;   /* in: errno that a system call may fail with (0 none, -1 any); out: what it returned */
};

#define LAST_TARGET -1
#define MAX_SYSCALL 4096
#define MAX_ERRNO 4095 /* include/linux/err.h */

static inline word raw(word nr, word a, word b, word c, word d, word e, word f)
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
#elif defined(__aarch64__)
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
#else
#error "linkspan knows x86_64 and aarch64"
#endif
}

static inline int failed(word result)
{
	return result < 0 && result >= -MAX_ERRNO;
}

/* One call on the calling thread. A system call's errno comes back as -errno: nothing in between can overwrite it. */
word invoke(word target, word a, word b, word c, word d, word e, word f)
{
	if (target >= 0 && target < MAX_SYSCALL)
		return raw(target, a, b, c, d, e, f);
	return ((word (*)(word, word, word, word, word, word))target)(a, b, c, d, e, f);
}

/* Runs a list up to its end or the first system call that fails; a pthread start routine. Returns 0 or -errno. */
word run(struct call *list)
{
	for (struct call *call = list; call->target != LAST_TARGET; call++) {
		word tolerated = call->result;
		word *args = call->args;
		word result = invoke(call->target, args[0], args[1], args[2], args[3], args[4], args[5]);
		call->result = result;
		if (call->target < MAX_SYSCALL && failed(result) && tolerated != -1 && tolerated != -result)
			return result;
	}
	return 0;
}

/* --- processes ------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define NR_read 0
#define NR_write 1
#define NR_close 3
#define NR_rt_sigaction 13
#define NR_rt_sigprocmask 14
#define NR_rt_sigreturn 15
#define NR_pwrite64 18
#define NR_clone 56
#define NR_exit 60
#define NR_wait4 61
#define NR_kill 62
#define NR_ftruncate 77
#define NR_setpgid 109
#define NR_ppoll 271
#define NR_signalfd4 289
#elif defined(__aarch64__)
#define NR_ftruncate 46
#define NR_close 57
#define NR_read 63
#define NR_write 64
#define NR_pwrite64 68
#define NR_ppoll 73
#define NR_signalfd4 74
#define NR_exit 93
#define NR_kill 129
#define NR_rt_sigaction 134
#define NR_rt_sigprocmask 135
#define NR_rt_sigreturn 139
#define NR_setpgid 154
#define NR_clone 220
#define NR_wait4 260
#endif
#define NR_pidfd_send_signal 424
#define NR_clone3 435

#define SIG_SETMASK 2
#define ALL_SIGNALS (~0UL)

/*
 * clone3() of a child that shares this memory, stands on a stack of its own and runs `list` there; with CLONE_VFORK
 * the caller waits until it has ended or become another program. `args` is the kernel's struct clone_args with that
 * stack. Returns the child's PID, or -errno. Signals are blocked in the child: a handler of this process must not run
 * there, and the interrupt key must not end it halfway.
 */
word spawn(word *args, word size, struct call *list)
{
	unsigned long all = ALL_SIGNALS, before;
	word pid;

	raw(NR_rt_sigprocmask, SIG_SETMASK, (word)&all, (word)&before, sizeof(all), 0, 0);
	/* Nothing may be between the system call and the child's first step: it starts on an empty stack. */
#if defined(__x86_64__)
	register struct call *kept __asm__("r12") = list;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call run\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(pid)
			 : "a"(NR_clone3), "D"(args), "S"(size), "r"(kept), [exit] "i"(NR_exit)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register word x8 __asm__("x8") = NR_clone3;
	register word x0 __asm__("x0") = (word)args;
	register word x1 __asm__("x1") = size;
	register struct call *kept __asm__("x19") = list;
	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, x19\n\t"
			 "bl run\n\t"
			 "mov x0, #0\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc 0\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(kept), [exit] "i"(NR_exit)
			 : "memory");
	pid = x0;
#endif
	raw(NR_rt_sigprocmask, SIG_SETMASK, (word)&before, 0, sizeof(before), 0, 0);
	return pid;
}

/* --- the first process of a container --------------------------------------------------------------------------- */

/*
 * `init` is the entry point of a program of its own (elf.ts puts it together): no stack frame above it, no library, and
 * its plan at a fixed address. It starts the command as its child, so that the command is not PID 1 and signals have
 * their usual effect on it; hands on the signals it is sent; reaps what is orphaned to it; writes down what is printed in
 * the background; and ends as the command did.
 */
#define PLAN ((volatile struct plan *)0x10000000)

/*
 * The log of a container: output comes from a pipe and goes to the files in turn, `bytes` into each. Part n is in file
 * n % files, so that the eldest part makes room for a new one. The size of the head file is twice the number of the
 * newest part, and one more while a file is being emptied: who reads sees by it whether it has read what it meant to.
 */
#define MOST_LOG_FILES 10

struct log {
	word pipe_fd;    /* does not block; -1: there is no log */
	word head_fd;
	word bytes;
	word files;
	word fds[MOST_LOG_FILES];
};

struct plan {
	word status_fd;  /* where the command's exit status is written to in decimal; -1 for nowhere */
	word report_fd;  /* where the plan goes back to when the command could not be started; nothing is written otherwise */
	word clone_error; /* out: -errno of the clone */
	word size;       /* of the plan in bytes */
	struct log log;
	struct call prepare[1]; /* what init itself runs first, then (after its end mark) what the command's process runs */
};

#define SIGCHLD 17
#define WNOHANG 1
#define __WALL 0x40000000
#define SIGNALFD_SIGINFO_BYTES 128
#define POLLIN 1
#define LOG_BUFFER_BYTES 16384
#define MOST_PIPE_BYTES 0x100000 /* default of /proc/sys/fs/pipe-max-size */

struct pollfd {
	int fd;
	short events;
	short revents;
};

static void write_status(word fd, word status)
{
	char text[4];
	word length = 0;

	if (status >= 100)
		text[length++] = '0' + status / 100;
	if (status >= 10)
		text[length++] = '0' + status / 10 % 10;
	text[length++] = '0' + status % 10;
	text[length++] = '\n';
	raw(NR_write, fd, (word)text, length, 0, 0, 0);
}

/* Where the log goes on. */
struct log_end {
	word part;
	word position;
};

/* Moves what is in the pipe, once. Returns what read() did: bytes, 0 for its end, or -errno. */
static word log_some(volatile struct log *log, struct log_end *end)
{
	char buffer[LOG_BUFFER_BYTES];
	word room = log->bytes - end->position, length, written;

	if (room <= 0) {
		raw(NR_ftruncate, log->head_fd, 2 * end->part + 1, 0, 0, 0, 0);
		end->part++;
		end->position = 0;
		raw(NR_ftruncate, log->fds[end->part % log->files], 0, 0, 0, 0, 0);
		raw(NR_ftruncate, log->head_fd, 2 * end->part, 0, 0, 0, 0);
		room = log->bytes;
	}
	length = raw(NR_read, log->pipe_fd, (word)buffer, room < LOG_BUFFER_BYTES ? room : LOG_BUFFER_BYTES, 0, 0, 0);
	if (length <= 0)
		return length;
	/* What a full file system does not take is lost: the command must not stand still for it. */
	written = raw(NR_pwrite64, log->fds[end->part % log->files], (word)buffer, length, end->position, 0, 0);
	if (written > 0)
		end->position += written;
	return length;
}

__attribute__((noreturn)) static void leave(word status)
{
	for (;;)
		raw(NR_exit, status, 0, 0, 0, 0, 0);
}

__attribute__((noreturn)) void init(void)
{
	volatile struct plan *plan = PLAN;
	unsigned long all = ALL_SIGNALS;
	struct call *list = (struct call *)plan->prepare;
	word command, status;

	raw(NR_rt_sigprocmask, SIG_SETMASK, (word)&all, 0, sizeof(all), 0, 0);
	run(list);
	while (list->target != LAST_TARGET)
		list++;
	list++;

	command = raw(NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
	if (command <= 0) {
		plan->clone_error = command;
		if (command == 0)
			run(list); /* the last call is execve(), so whoever comes back has failed */
		raw(NR_write, plan->report_fd, (word)plan, plan->size, 0, 0, 0);
		leave(127);
	}
	raw(NR_close, plan->report_fd, 0, 0, 0, 0, 0);
	/* Only the command uses these; a reader of its output shall see the end of it when the command closes it. */
	for (word fd = 0; fd < 3; fd++)
		raw(NR_close, fd, 0, 0, 0, 0, 0);
	/*
	 * The command stays in the terminal's foreground process group, where the shell's job control and the interrupt
	 * key reach it; init leaves that group, so that what reaches init was sent to it, and is handed on once.
	 */
	raw(NR_setpgid, 0, 0, 0, 0, 0, 0);

	struct log_end end = {0, 0};
	struct pollfd ready[2];
	ready[0].fd = raw(NR_signalfd4, -1, (word)&all, sizeof(all), 0, 0, 0);
	ready[1].fd = plan->log.pipe_fd;
	ready[0].events = ready[1].events = POLLIN;
	for (;;) {
		raw(NR_ppoll, (word)ready, 2, 0, 0, 0, 0);
		if (ready[1].revents != 0 && log_some(&plan->log, &end) == 0)
			ready[1].fd = -1; /* nobody is left who could print */
		if (ready[0].revents == 0)
			continue;
		unsigned int info[SIGNALFD_SIGINFO_BYTES / 4];
		word signal = raw(NR_read, ready[0].fd, (word)info, sizeof(info), 0, 0, 0) > 0 ? info[0] : 0;
		if (signal > 0 && signal != SIGCHLD)
			raw(NR_kill, command, signal, 0, 0, 0, 0);
		for (;;) {
			int wait = 0;
			word pid = raw(NR_wait4, -1, (word)&wait, WNOHANG | __WALL, 0, 0, 0);
			if (pid <= 0)
				break;
			if (pid != command)
				continue;
			status = (wait & 0x7f) == 0 ? (wait >> 8) & 0xff : 128 + (wait & 0x7f);
			/* What the command has printed is in the pipe; others that still print, and end with init, may not keep it. */
			for (word left = MOST_PIPE_BYTES; ready[1].fd >= 0 && left > 0;) {
				word length = log_some(&plan->log, &end);
				if (length <= 0)
					break;
				left -= length;
			}
			if (plan->status_fd >= 0)
				write_status(plan->status_fd, status);
			leave(status);
		}
	}
}

/* --- signals to the foreground process --------------------------------------------------------------------------- */

/* native.ts maps a page for data here, counted from the start of the code; forward.ts fills it. */
#define DATA_OFFSET 0x10000

/* Gives the kernel back the frame of a signal handler (sigreturn(2)); x86_64 wants this of user space. */
#if defined(__x86_64__)
__attribute__((naked)) void restore(void)
{
	__asm__("mov %0, %%eax\n\tsyscall" ::"i"(NR_rt_sigreturn));
}
#else
void restore(void)
{
}
#endif

/*
 * A signal handler that hands a signal on to the process behind the descriptor in the data page. What the terminal
 * sends (si_code SI_KERNEL) has reached the whole foreground process group, the command included, and is dropped.
 */
void forward(word signal, const int *info)
{
	const int si_code = info[2];
	const word *data = (const word *)((const char *)invoke + DATA_OFFSET);

	if (si_code <= 0)
		raw(NR_pidfd_send_signal, *data, signal, 0, 0, 0, 0);
}
