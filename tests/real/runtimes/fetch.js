// A caller that uses node's built-in fetch: node fetch.js WHAT URL, where WHAT is one of those at the end. The upstream
// is the echo server of support/servers.py. Exits with 0 if every answer was right.
'use strict';

const assert = require('node:assert');
const { createHash } = require('node:crypto');

const [what, base] = process.argv.slice(2);
const bytes = (size, of) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + of) % 256));
const digest = (data) => createHash('sha256').update(data).digest('hex');
const body = async (answer) => Buffer.from(await answer.arrayBuffer());

async function methods() {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const size of [0, 1, 65537, 300000]) {
      const answer = await fetch(`${base}/echo`, { method, body: bytes(size, 1) });
      assert.strictEqual(digest(await body(answer)), digest(bytes(size, 1)), `${method} ${size}`);
    }
  }
  const head = await fetch(`${base}/x`, { method: 'HEAD' });
  assert.deepStrictEqual([head.status, (await body(head)).length], [200, 0]);
  const headers = { 'X-Odd': ' a,b ', cookie: 'a=1' };
  const told = await (await fetch(`${base}/of/%C3%A9?x=1&y=%20`, { headers })).json();
  assert.strictEqual(told.target, '/of/%C3%A9?x=1&y=%20');
  const fields = Object.fromEntries(told.fields.map(([name, value]) => [name.toLowerCase(), value]));
  assert.deepStrictEqual([fields['x-odd'], fields.cookie], ['a,b', 'a=1']);
}

async function kept() {
  for (let n = 0; n < 30; ++n) {
    const told = await (await fetch(`${base}/of/${n}`)).json();
    assert.strictEqual(told.target, `/of/${n}`);
  }
}

async function uploads() {
  for (const pieces of [[], [1], [70000, 1, 200000], Array(200).fill(3)]) {
    const whole = Buffer.concat(pieces.map(bytes));
    const stream = new ReadableStream({
      start(controller) {
        pieces.forEach((size, of) => controller.enqueue(bytes(size, of)));
        controller.close();
      },
    });
    const answer = await fetch(`${base}/chunked`, { method: 'POST', body: stream, duplex: 'half' });
    assert.strictEqual(digest(await body(answer)), digest(whole));
  }
}

async function steps() {
  const answer = await fetch(`${base}/steps`);
  const reader = answer.body.getReader();
  for (let n = 0; n < 3; ++n) {
    await (await fetch(`${base}/step`)).arrayBuffer(); // lets the next piece go
    const { value } = await reader.read();
    assert.strictEqual(Buffer.from(value).toString(), `step ${n}\n`);
  }
  assert.strictEqual((await reader.read()).done, true);
}

async function forms() {
  const form = new FormData();
  form.append('a', 'one "two"');
  form.append('file', new Blob([bytes(100000, 3)], { type: 'image/x-odd' }), 'odd.name');
  const back = await fetch(`${base}/echo`, { method: 'POST', body: form });
  const data = await back.formData();
  assert.strictEqual(data.get('a'), 'one "two"');
  assert.strictEqual(digest(Buffer.from(await data.get('file').arrayBuffer())), digest(bytes(100000, 3)));
}

async function crowds() {
  const texts = await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const answer = await fetch(`${base}/chunked`, { method: 'POST', body: `number ${n}` });
    return answer.text();
  }));
  texts.forEach((text, n) => assert.strictEqual(text, `number ${n}`));
}

async function codings() {
  const answer = await fetch(`${base}/compressed`, { method: 'POST', body: 'text '.repeat(10000) });
  assert.strictEqual(await answer.text(), 'text '.repeat(10000));
  const redirected = await fetch(`${base}/redirect`, { method: 'POST', body: 'again' });
  assert.deepStrictEqual([redirected.redirected, await redirected.text()], [true, 'again']);
  const ended = await fetch(`${base}/until-close`, { method: 'POST', body: 'to the end' });
  assert.strictEqual(await ended.text(), 'to the end');
}

async function leaving() {
  const control = new AbortController();
  const answer = await fetch(`${base}/steps`, { signal: control.signal });
  control.abort();
  await assert.rejects(answer.text(), { name: 'AbortError' });
  const after = await fetch(`${base}/echo`, { method: 'POST', body: 'after' });
  assert.strictEqual(await after.text(), 'after');
}

const all = { methods, kept, uploads, steps, forms, crowds, codings, leaving };
all[what]().then(() => process.exit(0), (problem) => {
  console.error(problem);
  process.exit(1);
});
