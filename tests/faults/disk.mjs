// Disks that fail: one so small that it can be filled, and one that is slow to say that it has written.

import { closeSync, openSync, readSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { atTheEnd, output } from "./owned.mjs";

/** A file system of its own, in memory. Making one takes root. */
export class SmallDisk {
  static async in(folder, megabytes) {
    const disk = new SmallDisk();
    disk.folder = join(folder, "small-disk");
    disk.filler = join(disk.folder, "filler");
    await mkdir(disk.folder);
    const mounted = await output("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0711`, "tmpfs", disk.folder]);
    if (mounted.code !== 0) throw new Error(`a small disk cannot be made: ${mounted.err}`);
    disk.forget = atTheEnd(() => spawnSync("umount", ["--lazy", disk.folder]));
    return disk;
  }

  /** Writes until there is no room for one more byte; returns how many were left. */
  async fill() {
    const file = openSync(this.filler, "a");
    try {
      for (let piece = Buffer.alloc(1 << 20); piece.length > 0; piece = piece.subarray(0, piece.length >> 1)) {
        while (fits(file, piece));
      }
    } finally {
      closeSync(file);
    }
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  /** There is room again. */
  free() {
    unlinkSync(this.filler);
  }

  unmount() {
    spawnSync("umount", [this.folder]);
    this.forget();
  }
}

function fits(file, piece) {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (error) {
    if (error.code === "ENOSPC") return false;
    throw error;
  }
}

/** Loaded into a process before the C library: waits before fsync and fdatasync, as long as the file says, and counts there. */
const LIBRARY = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

struct control { volatile int64_t milliseconds, waits; };

static struct control *control(void) {
  static struct control *mapped;
  const char *path = getenv("SLOW_DISK");
  if (!mapped && path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *at = file < 0 ? MAP_FAILED : mmap(0, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) mapped = at;
  }
  return mapped;
}

static void wait_first(void) {
  struct control *told = control();
  if (!told || told->milliseconds <= 0) return;
  __sync_fetch_and_add(&told->waits, 1);
  struct timespec time = { told->milliseconds / 1000, told->milliseconds % 1000 * 1000000 };
  while (nanosleep(&time, &time) != 0);
}

int fsync(int file) {
  wait_first();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
  wait_first();
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
`;

export class SlowDisk {
  #control;

  static async in(folder) {
    const disk = new SlowDisk();
    const [source, library, control] = ["slow_disk.c", "slow_disk.so", "slow_disk.control"].map((name) => join(folder, name));
    writeFileSync(source, LIBRARY);
    const compiled = await output("cc", ["-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
    if (compiled.code !== 0) throw new Error(`the library for a slow disk cannot be made: ${compiled.err}`);
    writeFileSync(control, Buffer.alloc(16), { mode: 0o666 });
    // The mode is subject to the mask of this process, and whoever writes here may be somebody else.
    spawnSync("chmod", ["0666", control]);
    disk.environment = { LD_PRELOAD: library, SLOW_DISK: control };
    disk.#control = openSync(control, "r+");
    return disk;
  }

  /** From now on every wait for the disk takes so much longer; 0 for as ever. */
  slow(milliseconds) {
    const told = Buffer.alloc(8);
    told.writeBigInt64LE(BigInt(milliseconds));
    writeSync(this.#control, told, 0, 8, 0);
  }

  /** How often somebody has waited longer. */
  get waits() {
    const told = Buffer.alloc(8);
    readSync(this.#control, told, 0, 8, 8);
    return Number(told.readBigInt64LE());
  }

  close() {
    closeSync(this.#control);
  }
}
