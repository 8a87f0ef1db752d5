/**
 * The caller's token, and whether the service asks for one.
 *
 * A key that came in the address's fragment (`/#token=KEY`, as `make run` prints it) is kept in
 * sessionStorage, so that a reload of this tab keeps it. A token that a person typed in is kept in
 * memory only.
 */

const STORED = "krkn-key";

export interface Session {
  readonly token: string;
  /** The service has refused the token, or wants one. */
  readonly isRefused: boolean;
  /** There was a token, and the service did not accept it. */
  readonly wasWrong: boolean;
}

let current: Session = { token: "", isRefused: false, wasWrong: false };
const listeners = new Set<() => void>();

function set(session: Session): void {
  current = session;
  listeners.forEach((each) => each());
}

export const session = {
  get: (): Session => current,

  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  signIn(token: string): void {
    set({ token: token.trim(), isRefused: false, wasWrong: false });
  },

  signOut(): void {
    sessionStorage.removeItem(STORED);
    set({ token: "", isRefused: true, wasWrong: false });
  },

  /** Note that the service answered 401 to a call that had this token. */
  refuse(token: string): void {
    if (token !== current.token || current.isRefused) return;
    sessionStorage.removeItem(STORED);
    set({ token: "", isRefused: true, wasWrong: token !== "" });
  },

  /** Take the key out of the address, or out of what this tab kept. Call once, before all else. */
  start(): void {
    const key = keyOf(window.location.hash);
    if (key !== undefined) {
      sessionStorage.setItem(STORED, key);
      // Not in the history, nor in what is copied from the address bar.
      window.history.replaceState(null, "", window.location.pathname + window.location.search);
    }
    current = {
      token: sessionStorage.getItem(STORED) ?? "",
      isRefused: false,
      wasWrong: false,
    };
  },
};

/** Return the key in a fragment `#token=KEY`; undefined when it has none. */
export function keyOf(fragment: string): string | undefined {
  const match = /^#\/?token=([^&]+)$/.exec(fragment);
  return match?.[1] === undefined ? undefined : decodeURIComponent(match[1]);
}
