import { expect, test } from "vitest";
import { lines } from "./lines";

function stream(...chunks: (string | number[])[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(
          typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk),
        );
      }
      controller.close();
    },
  });
}

async function read(body: ReadableStream<Uint8Array>, longest?: number): Promise<string[]> {
  const all: string[] = [];
  for await (const some of lines(body, longest)) all.push(...some);
  return all;
}

test.each([
  ["lines cut anywhere", ["a\nb", "b\n", "\nc\n"], ["a", "bb", "", "c"]],
  ["a last line without its end", ["a\nb"], ["a", "b"]],
  ["nothing", [], []],
  ["a character cut in the middle", [[0xc3], [0xa9, 0x0a]], ["é"]],
  ["bytes that are no UTF-8", [[0xff, 0x0a]], ["\uFFFD"]],
])("%s", async (_, chunks, expected) => {
  expect(await read(stream(...chunks))).toEqual(expected);
});

test("a line that is too long comes in parts", async () => {
  expect(await read(stream("abc", "d", "ef\ng", "h"), 3)).toEqual(["abcd", "ef", "gh"]);
});

test("a reader that stops early closes the stream", async () => {
  let isClosed = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("x\n")),
    cancel: () => {
      isClosed = true;
    },
  });
  for await (const some of lines(endless)) {
    expect(some).toEqual(["x"]);
    break;
  }
  expect(isClosed).toBe(true);
});
