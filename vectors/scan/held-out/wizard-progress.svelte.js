const KEY = 'wizard';

export function createWizard(steps) {
  let index = $state(Number(sessionStorage.getItem(KEY) ?? 0));

  return {
    get step() {
      return steps[index];
    },
    next() {
      index = Math.min(index + 1, steps.length - 1);
      sessionStorage.setItem(KEY, String(index));
    },
    reset() {
      index = 0;
      sessionStorage.removeItem(KEY);
    },
  };
}
