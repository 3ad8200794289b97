/** Names under which a computer reaches only itself. */
const THIS_COMPUTER = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Whether an address opens on the computer alone on which it was made. */
export function namesThisComputer(url: string): boolean {
  return THIS_COMPUTER.test(new URL(url).hostname)
}
