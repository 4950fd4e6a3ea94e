// Made by scripts/build-native.ts from native.c; do not edit. Machine code, so that users need no compiler and no
// start pays for one.

export const SOURCE_SHA256 = "478b96f26f281c15c0c488a08ace0eebc59c0954a1d9c2b22fb77c83a6f98cd9"

export const NATIVE_CODE = {
  // gcc (Debian 12.2.0-14+deb12u1) 12.2.0
  x64: {
    entries: { invoke: 0, run: 39 },
    base64:
      "SIn4TYnCSIn3TYnISInWTItMJAhIicpIPf8PAAB2BUyJ0f/gDwXDVVNIiftBU0iLO0iD//90TEiLazhIi0sYSItTEEiLcwhBUP9zMEyLSyhMi0Mg6Kf///9IgTv/DwAASIlDOEFZQVp/E0g9AfD//3ILSIP9/3QFSAHFdQhIg8NA66sxwFpbXcM=",
  },
  // aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0
  arm64: {
    entries: { invoke: 0, run: 52 },
    base64:
      "6AMAquADAarhAwKq4gMDquMDBKrkAwWq5QMGqh/9P/FpAABU8AMIqgACH9YBAADUwANf1v17vqn9AwCR81MBqfMDAKpgAkD5HwQAsaEAAFQAAIDS81NBqf17wqjAA1/WYYpAqWOSQallmkKpdB5A+eT//5dgHgD5YQJA+T/8P/HsAABUH/w/saMAAFSfBgCxYAAAVJ8CAKvh/f9UcwIBken//xc=",
  },
} as const
