// A model in a GGUF file as an OpenAI-compatible server on 127.0.0.1: POST /v1/chat/completions, one at a time.
// node server.mjs MODEL.gguf [PORT]. Nothing is fetched; a request that is given up is not generated to its end.
import { createServer } from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [file, port = "8091"] = process.argv.slice(2);
const CONTEXT_TOKENS = 4096;
const BODY_BYTES_MAX = 1_000_000;

const llama = await getLlama({ gpu: false, build: "never", skipDownload: true });
const model = await llama.loadModel({ modelPath: file });
// one thread: the arena has the other core, and threads that wait for one another on a busy machine crawl
const context = await model.createContext({ contextSize: CONTEXT_TOKENS, threads: 1 });
const sequence = context.getSequence();
const json = await llama.getGrammarFor("json");

async function complete(asked, signal) {
  const messages = asked.messages;
  const system = messages.filter((message) => message.role === "system").map((message) => message.content).join("\n");
  const turns = messages.filter((message) => message.role !== "system");
  await sequence.clearHistory();
  const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: system, autoDisposeSequence: false });
  session.setChatHistory([
    { type: "system", text: system },
    ...turns.slice(0, -1).map(({ role, content }) =>
      role === "assistant" ? { type: "model", response: [content] } : { type: "user", text: content },
    ),
  ]);
  const before = sequence.tokenMeter.getState();
  const { responseText, stopReason } = await session.promptWithMeta(turns.at(-1).content, {
    maxTokens: asked.max_tokens ?? 512,
    temperature: asked.temperature ?? 0,
    topP: asked.top_p,
    seed: asked.seed,
    grammar: asked.response_format?.type === "json_object" ? json : undefined,
    signal,
  });
  const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter.diff(before);
  session.dispose({ disposeSequence: false });
  return {
    id: "local",
    object: "chat.completion",
    created: 0,
    model: asked.model,
    choices: [
      {
        index: 0,
        finish_reason: stopReason === "maxTokens" ? "length" : "stop",
        message: { role: "assistant", content: responseText },
      },
    ],
    usage: {
      prompt_tokens: usedInputTokens,
      completion_tokens: usedOutputTokens,
      total_tokens: usedInputTokens + usedOutputTokens,
    },
  };
}

async function read(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`more than ${BODY_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

function say(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

let turn = Promise.resolve();

createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") return say(response, 404, { error: "unknown" });
  const given = new AbortController();
  response.on("close", () => given.abort(new Error("the client is gone")));
  turn = turn.then(async () => {
    try {
      const asked = await read(request);
      if (!given.signal.aborted) say(response, 200, await complete(asked, given.signal));
    } catch (error) {
      if (!given.signal.aborted) say(response, 400, { error: { message: String(error.message ?? error) } });
    }
  });
}).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/v1`));
