// Made by scripts/build-native.ts from native.c; do not edit. Machine code, so that users need no compiler and no
// start pays for one.

export const SOURCE_SHA256 = "82eca02e21a3cb63dd25cf794ad079bed8215e24601b60f55efdd72c7e9b1009"

export const NATIVE_CODE = {
  // gcc (Debian 12.2.0-14+deb12u1) 12.2.0
  x64: {
    entries: { invoke: 0, run: 39, spawn: 137 },
    base64:
      "SIn4TYnCSIn3TYnISInWTItMJAhIicpIPf8PAAB2BUyJ0f/gDwXDVVNIiftBU0iLO0iD//90TEiLazhIi0sYSItTEEiLcwhBUP9zMEyLSyhMi0Mg6Kf///9IgTv/DwAASIlDOEFZQVp/E0g9AfD//3ILSIP9/3QFSAHFdQhIg8NA66sxwFpbXcNBV0G6CAAAAEmJ90UxwEFWRTHJQVVBvQIAAABBVEmJ1FVIif1Mie9Tuw4AAABIidhIg+wQTI10JAhIxwQk/////0iJ5kyJ8g8FuLMBAABIie9Mif4PBUiFwHUUMe1MiefoOf///zH/uDwAAAAPBfQx0kmJxEyJ70iJ2EyJ9g8FSIPEEEyJ4FtdQVxBXUFeQV/D",
  },
  // aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0
  arm64: {
    entries: { invoke: 0, run: 52, spawn: 164 },
    base64:
      "6AMAquADAarhAwKq4gMDquMDBKrkAwWq5QMGqh/9P/FpAABU8AMIqgACH9YBAADUwANf1v17vqn9AwCR81MBqfMDAKpgAkD5HwQAsaEAAFQAAIDS81NBqf17wqjAA1/WYYpAqWOSQallmkKpdB5A+eT//5dgHgD5YQJA+T/8P/HsAABUH/w/saMAAFSfBgCxYAAAVJ8CAKvh/f9UcwIBken//xfzDx745wMAqgAAgJLmAwGq8wMCqugQgNLhQwCR4mMAkQMBgNIEAIDSBQCA0uALAPlAAIDSAQAA1Gg2gNLgAweq4QMGqgEAANQAAQC1HQCA0uADE6rP//+XAACA0qgLgNIBAADUAAAg1OgQgNLmAwCq4QMCqkAAgNICAIDSAQAA1OADBqrzB0L4wANf1g==",
  },
} as const
