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
#define NR_clone3 435
#define NR_rt_sigprocmask 14
#define NR_exit 60
#elif defined(__aarch64__)
#define NR_clone3 435
#define NR_rt_sigprocmask 135
#define NR_exit 93
#endif

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
