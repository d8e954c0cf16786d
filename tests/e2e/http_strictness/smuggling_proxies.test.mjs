// The same ambiguous requests through Debian's nginx and haproxy, as lenient as they can be set, with connections to the server that
// clients share: the server never finds a request that the proxy has not passed on, and nobody gets another's answer.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFrontProxy } from '../lib/front_proxy.mjs';
import { api, metrics } from '../lib/http.mjs';
import { exchange, inParallel } from '../lib/raw_http.mjs';
import { startServer } from '../lib/server.mjs';
import { until } from '../lib/wait.mjs';
import { HARMLESS, REQUESTS, smuggled, target } from './smuggling_table.mjs';

const ROWS = [...REQUESTS.map(([name, , bytes]) => [name, bytes + smuggled('CHANNEL')]), ...HARMLESS];

/** Requests that the server has answered or handed over, whoever sent them. */
async function counted(server) {
  const samples = await metrics(server);
  const sum = (start) => [...samples].filter(([name]) => name.startsWith(start)).reduce((total, [, value]) => total + value, 0);
  return sum('parley_http_responses_total') + sum('parley_http_taken_over_total');
}

describe('proxies', { concurrency: true }, () => {
  for (const kind of ['nginx', 'haproxy']) {
    describe(kind, () => {
      let server;
      let proxy;
      before(async () => {
        server = await startServer({ shards: 1 });
        proxy = await startFrontProxy(kind, server.port);
      });
      after(async () => {
        await proxy.stop();
        await server.stop();
      });

      test('never are two requests counted for one that was passed on', async () => {
        const before = await counted(server);
        const wrong = [];
        await inParallel(8, ROWS, async ([name, bytes], row) => {
          const channel = `row${row}`.padEnd(7, '-');
          await exchange(proxy.port, bytes.replaceAll('CHANNEL', channel), { quiet: 300 });
          // Somebody else, over whatever the attack left behind.
          const victim = `victim-${kind}-${row}`;
          const { text } = await exchange(proxy.port, `POST ${target(victim)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1`);
          if (!/^HTTP\/1\.1 200 .*\{"epoch":"[^"]*","offset":1\}$/s.test(text)) wrong.push(`after ${name}: ${JSON.stringify(text)}`);
        });
        const after = await counted(server) - 1;  // Without the request for the metrics before.
        let log = [];
        const passedOn = () => log.filter(({ behind }) => behind !== '-');
        await until(async () => {
          log = await proxy.requests();
          return passedOn().length >= after - before;
        }, () => `${after - before} requests in the log of ${kind}; there are ${passedOn().length}`);
        for (const [row, [name]] of ROWS.entries()) {
          const channel = `row${row}`.padEnd(7, '-');
          const { offset } = await api(server, 'history', { channel, limit: 0 });
          const logged = passedOn().filter(({ request }) => request.includes(target(channel))).length;
          if (offset > logged) wrong.push(`${name}: ${offset} published, ${logged} passed on`);
        }
        assert.deepEqual(wrong, []);
        const refused = log.length - passedOn().length;
        console.log(`${kind}: ${ROWS.length} rows, ${ROWS.length} victims; ${passedOn().length} requests passed on, ${refused} refused by ${kind}, ${after - before} counted by the server`);
        assert.ok(after - before > ROWS.length, 'the victims alone are more');
      });
    });
  }
});
