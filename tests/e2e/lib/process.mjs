// What the kernel knows of a process.
import { readFile, readdir } from 'node:fs/promises';

/** Seconds of processor time that it has used, in all its threads. */
export async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Whether a sanitizer is in it, beside which memory cannot be weighed: what is freed is kept back. */
export async function isSanitized(pid) {
  return /lib[at]san/.test(await readFile(`/proc/${pid}/maps`, 'latin1'));
}

/** How many descriptors it has open. */
export async function openFiles(pid) {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
