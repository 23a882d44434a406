import { reactive, watch } from 'vue';

const STORAGE_KEY = 'display';
const defaults = { density: 'cosy', zoom: 100, colours: 'system' };

function load() {
  try {
    return { ...defaults, ...JSON.parse(window.localStorage.getItem(STORAGE_KEY) ?? '{}') };
  } catch {
    return { ...defaults };
  }
}

export const display = reactive(load());

watch(display, (value) => window.localStorage.setItem(STORAGE_KEY, JSON.stringify(value)), { deep: true });
