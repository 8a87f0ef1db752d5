/** Lines of a stream. */

/** Split chunks into lines. Bytes that are no UTF-8 become U+FFFD; a last line needs no end. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const whole = rest.split("\n");
      rest = done ? "" : (whole.pop() ?? "");
      if (done && whole.at(-1) === "") whole.pop();
      if (whole.length > 0) yield whole;
      if (done) return;
    }
  } finally {
    // Also when the reader of the lines stops early: else the connection stays open.
    await reader.cancel().catch(() => undefined);
  }
}
