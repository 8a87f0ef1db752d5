/**
 * Work that is done while the tab is visible.
 *
 * A browser opens six connections to a service at most, for all its tabs together, and each stream
 * takes one. Tabs that nobody sees give theirs back.
 */

const HIDDEN_SECONDS = 20;

/** Wait until the tab is visible, then run `work` with a signal that aborts once it is hidden. */
export async function whileVisible(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await visible(signal);
  const hidden = new AbortController();
  const stopLooking = onHidden(() => hidden.abort());
  try {
    await work(AbortSignal.any([signal, hidden.signal]));
  } catch (error) {
    // Not a failure: the work goes on when the tab is seen again.
    if (!hidden.signal.aborted || signal.aborted) throw error;
  } finally {
    stopLooking();
  }
}

function visible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (document.visibilityState === "visible") end(resolve);
    };
    const abort = () => end(() => reject(signal.reason as Error));
    const end = (then: () => void) => {
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", abort);
      then();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    else look();
  });
}

/** Call `hide` once the tab was hidden for some seconds; returns what ends the looking. */
function onHidden(hide: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (document.visibilityState === "hidden") timer = setTimeout(hide, HIDDEN_SECONDS * 1000);
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
