// What the kernel knows of a process.
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';

/** The processors that this process may use. */
async function processors() {
  const [, list] = /Cpus_allowed_list:\s*(\S+)/.exec(await readFile('/proc/self/status', 'utf8'));
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const useOnly = (pid, list) => execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', list.join(','), String(pid)]);

let all;

/** Gives the process a processor of its own, and the others to this one and to what it starts from now on: they are as if on another machine. */
export async function moveApart(pid) {
  all ??= await processors();
  const [first, ...others] = all;
  if (others.length === 0) throw new Error('one processor: the server cannot have one of its own');
  useOnly(pid, [first]);
  useOnly(process.pid, others);
}

/** Seconds of processor time that it has used, in all its threads. */
export async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Seconds that its busiest thread ran or waited for its turn to run: what is left of the time it had nothing to do. */
export async function busySeconds(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const busy = await Promise.all(threads.map(async (id) => {
    const [ran, waited] = (await readFile(`/proc/${pid}/task/${id}/schedstat`, 'utf8')).split(' ');
    return (Number(ran) + Number(waited)) / 1e9;
  }));
  return Math.max(...busy);
}

/** Whether a sanitizer is in it, beside which memory cannot be weighed: what is freed is kept back. */
export async function isSanitized(pid) {
  return /lib[at]san/.test(await readFile(`/proc/${pid}/maps`, 'latin1'));
}

/** How many descriptors it has open. */
export async function openFiles(pid) {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
