/** Passwords as argon2id hashes (RFC 9106), a few at a time: each of them takes much memory and time on purpose. */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { PasswordHash } from "../../model/principals/records.ts";

const saltBytes = 16;
const hashBytes = 32;

/** What the password of a name that does not exist is compared with, so that the answer takes as long. */
const nobody: PasswordHash = {
  algorithm: "argon2id",
  salt: randomBytes(saltBytes).toString("base64"),
  hash: randomBytes(hashBytes).toString("base64"),
  memoryKiB: defaults.passwordMemoryKiB,
  passes: defaults.passwordPasses,
  parallelism: defaults.passwordParallelism,
};

export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async hash(password: string): Promise<PasswordHash> {
    const cost = {
      memoryKiB: defaults.passwordMemoryKiB,
      passes: defaults.passwordPasses,
      parallelism: defaults.passwordParallelism,
    };
    const salt = randomBytes(saltBytes);
    const hash = await this.#derive(password, salt, cost);
    return { algorithm: "argon2id", salt: salt.toString("base64"), hash: hash.toString("base64"), ...cost };
  }

  /** Takes as long for a null `known`, which no password matches. @throws OutlastError `too-many` */
  async isRight(password: string, known: PasswordHash | null): Promise<boolean> {
    const wanted = known ?? nobody;
    const hash = await this.#derive(password, Buffer.from(wanted.salt, "base64"), wanted);
    return timingSafeEqual(hash, Buffer.from(wanted.hash, "base64")) && known !== null;
  }

  async #derive(
    password: string,
    nonce: Buffer,
    { memoryKiB, passes, parallelism }: Pick<PasswordHash, "memoryKiB" | "passes" | "parallelism">,
  ): Promise<Buffer> {
    if (typeof argon2 !== "function")
      throw new OutlastError("unavailable", "Passwords need Node 24.7 or newer on every master.");
    await this.#turn();
    try {
      const message = password.normalize("NFC");
      const parameters = { message, nonce, parallelism, tagLength: hashBytes, memory: memoryKiB, passes };
      return await new Promise<Buffer>((resolve, reject) => {
        argon2("argon2id", parameters, (error, hash) => (error === null ? resolve(hash) : reject(error)));
      });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= limits.passwordHashesMax) {
      if (this.#waiting.length >= limits.passwordWaitsMax)
        throw new OutlastError("too-many", "Too many sign-ins at once.", { limit: "passwordWaitsMax" });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }
}
