class CancelToken {
  cancelled = false;

  cancel() {
    this.cancelled = true;
  }
}

let cancelToken = new CancelToken();

export async function load(ids, show) {
  cancelToken.cancel();
  const token = (cancelToken = new CancelToken());
  for (const id of ids) {
    const item = await fetch(`/items/${id}`).then((response) => response.json());
    if (token.cancelled) return;
    show(item);
    localStorage.setItem('lastItem', id);
  }
}
