/** A promise that stays open until the test opens the gate. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let release!: () => void;
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, open: release };
}
