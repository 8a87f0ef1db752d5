/** Lines of a stream. */

/**
 * Split chunks into lines. Bytes that are no UTF-8 become U+FFFD; a last line needs no end. Of a
 * line that gets longer than `longest` comes what there is, and then the rest as another line.
 */
export async function* lines(
  body: ReadableStream<Uint8Array>,
  longest = Infinity,
): AsyncGenerator<string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      // What is known of the line has no end in it: only what is new is looked at.
      const [first = "", ...others] = text.split("\n");
      const whole = [rest + first, ...others];
      rest = done ? "" : (whole.pop() ?? "");
      if (done && whole.at(-1) === "") whole.pop();
      if (rest.length > longest) {
        whole.push(rest);
        rest = "";
      }
      if (whole.length > 0) yield whole;
      if (done) return;
    }
  } finally {
    // Also when the reader of the lines stops early: else the connection stays open.
    await reader.cancel().catch(() => undefined);
  }
}
