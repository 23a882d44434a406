import { goto } from '$app/navigation';
import { writable } from 'svelte/store';

export const admin = writable(null);

export async function loginAdmin(name, password) {
  const response = await fetch('/admin/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  const data = await response.json();
  if (!response.ok) throw new Error(data.message);
  document.cookie = `admin_token=${data.token}; path=/admin; max-age=3600`; // expect: token-in-readable-cookie
  document.cookie = 'admin_seen=1; path=/admin';
  admin.set(data.admin);
  goto('/admin');
}
