/** What a master offers for users, tokens, sessions and the audit record; a part of `MasterApi`. */
import type { AuditRecord } from "../../model/principals/audit.ts";
import type { NewToken, NewUser, UserChange } from "../../model/principals/changes.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { SessionRecord, TokenRecord, TokenView, UserRecord, UserView } from "../../model/principals/records.ts";

export interface SignIn {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  /** The secret of the session that the caller has; it ends. */
  readonly replaces: string | null;
}

export interface TokenSignIn {
  /** The token, which was right; null for the root token. */
  readonly token: TokenRecord | null;
  readonly address: string;
  /** The secret of the session that the caller has; it ends. */
  readonly replaces: string | null;
  /** Shows in the session's secret that it was made by somebody with the root token. */
  readonly sign: (text: string) => string;
}

export interface OpenedSession {
  /** 256 random bits, told once. */
  readonly secret: string;
  readonly expiresAt: number;
}

export interface SignedIn extends OpenedSession {
  readonly user: UserView;
}

export interface AuditQuery {
  readonly by?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: AuditRecord["outcome"];
  /** Records before this instant. */
  readonly before?: number;
  /** Records from this instant on. */
  readonly after?: number;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface AuditPage {
  /** The newest first. A page may be short, even empty, and still have a cursor. */
  readonly records: readonly AuditRecord[];
  readonly cursor: string | null;
}

export interface PrincipalApi {
  /** False until the journal has been read: nobody can be told apart before. */
  readonly isKnown: boolean;
  /** True where there are neither users nor tokens. */
  readonly isEmpty: boolean;
  /** As this master's memory has them. `null` for what is unknown or has expired. */
  findUser(name: string): UserRecord | null;
  findToken(secret: string): TokenRecord | null;
  findSession(secret: string): SessionRecord | null;
  /** The token that a session was opened with; null if it is gone or has expired, and for other sessions. */
  tokenOf(session: SessionRecord): TokenRecord | null;
  /** False once a token or session is gone or has expired, and for a session once its token is. */
  isCurrent(credential: { readonly kind: "session" | "token"; readonly id: string }): boolean;

  /** Calls `listener` when a change of users, tokens or sessions is committed. Returns how to stop. */
  onChange(listener: () => void): () => void;

  users(): readonly UserView[];
  addUser(user: NewUser, by?: Actor): Promise<UserView>;
  changeUser(name: string, change: UserChange, by?: Actor): Promise<void>;
  removeUser(name: string, by?: Actor): Promise<void>;
  /** Rejects with `unauthorized` if the password is not the user's. */
  checkPassword(name: string, password: string): Promise<void>;
  tokens(): readonly TokenView[];
  /** The secret is told once. */
  addToken(token: NewToken, by?: Actor): Promise<TokenView & { readonly token: string }>;
  removeToken(name: string, by?: Actor): Promise<void>;

  /** Rejects with `unauthorized`, whether the name or the password was wrong. */
  signIn(wish: SignIn): Promise<SignedIn>;
  signInByToken(wish: TokenSignIn): Promise<OpenedSession>;
  signOut(sessionId: string, by?: Actor): Promise<void>;
  /** On the leader: a session that is used stays, and the use of a token is remembered. */
  noteUse(credential: { readonly kind: "session" | "token"; readonly id: string }): void;
  /** On the leader: written to the audit record within `defaults.refusalsMs`; equal ones as one. */
  noteRefusal(refusal: Omit<AuditRecord, "at" | "outcome" | "count">): void;

  audit(query: AuditQuery): Promise<AuditPage>;
}
