/** The users and tokens of a fake master: none, unless a test has put some there. */

import type { AuditPage, OpenedSession, PrincipalApi, SignedIn, SignIn } from "../../master/service/principalApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { NewToken, NewUser, UserChange } from "../../model/principals/changes.ts";
import type { SessionRecord, TokenRecord, TokenView, UserRecord, UserView } from "../../model/principals/records.ts";

export class FakePrincipalApi implements PrincipalApi {
  readonly tokensBySecret = new Map<string, TokenRecord>();
  isKnown = true;

  get isEmpty(): boolean {
    return this.tokensBySecret.size === 0;
  }

  findUser(): UserRecord | null {
    return null;
  }

  findToken(secret: string): TokenRecord | null {
    return this.tokensBySecret.get(secret) ?? null;
  }

  findSession(): SessionRecord | null {
    return null;
  }

  tokenOf(): TokenRecord | null {
    return null;
  }

  isCurrent({ id }: { readonly kind: "session" | "token"; readonly id: string }): boolean {
    return [...this.tokensBySecret.values()].some(({ name }) => name === id);
  }

  readonly listeners = new Set<() => void>();

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  users(): readonly UserView[] {
    return [];
  }

  async addUser(_user: NewUser): Promise<UserView> {
    throw unsupported();
  }

  async changeUser(_name: string, _change: UserChange): Promise<void> {
    throw unsupported();
  }

  async removeUser(_name: string): Promise<void> {
    throw unsupported();
  }

  async checkPassword(): Promise<void> {
    throw unsupported();
  }

  tokens(): readonly TokenView[] {
    return [];
  }

  async addToken(_token: NewToken): Promise<TokenView & { readonly token: string }> {
    throw unsupported();
  }

  async removeToken(_name: string): Promise<void> {
    throw unsupported();
  }

  async signIn(_wish: SignIn): Promise<SignedIn> {
    throw new OutlastError("unauthorized", "The name or the password is wrong.");
  }

  async signInByToken(): Promise<OpenedSession> {
    throw unsupported();
  }

  async signOut(): Promise<void> {}

  noteUse(): void {}

  noteRefusal(): void {}

  async audit(): Promise<AuditPage> {
    return { records: [], cursor: null };
  }
}

function unsupported(): OutlastError {
  return new OutlastError("unavailable", "The fake master keeps no users.");
}
