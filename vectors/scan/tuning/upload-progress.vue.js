import { ref } from 'vue';

export function useUpload() {
  const progress = ref(0);
  const upload = ref(null);

  async function start(file) {
    const response = await fetch('/uploads', { method: 'POST', body: JSON.stringify({ size: file.size }) });
    upload.value = await response.json();
    sessionStorage.setItem(`upload:${file.name}`, upload.value.id);
    for (let at = 0; at < file.size; at += 1_000_000) {
      await fetch(`/uploads/${upload.value.id}?offset=${at}`, { method: 'PUT', body: file.slice(at, at + 1_000_000) });
      progress.value = at / file.size;
    }
    sessionStorage.removeItem(`upload:${file.name}`);
    progress.value = 1;
  }

  return { progress, start };
}
