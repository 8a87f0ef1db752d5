/** Waiting between attempts. */

const FIRST_SECONDS = 0.5;
const LONGEST_SECONDS = 15;

/** Return the seconds to wait after `failures` failures in a row; `random` is in [0, 1). */
export function backoff(failures: number, retryAfter?: number, random = Math.random()): number {
  const doubled = Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.max(0, failures - 1));
  // Half of it is chance, so that many pages do not come back at once.
  return Math.max(retryAfter ?? 0, doubled / 2) + (doubled / 2) * random;
}

/** Resolve after so many seconds; reject with the signal's reason when it is aborted first. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
