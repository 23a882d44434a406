import { create } from 'zustand';

const KEY = 'cart';
const saved = JSON.parse(localStorage.getItem(KEY) ?? '[]');

export const useCart = create((set, get) => ({
  lines: saved,
  add(product, quantity = 1) {
    const lines = [...get().lines, { sku: product.sku, quantity }];
    localStorage.setItem(KEY, JSON.stringify(lines));
    set({ lines });
  },
  empty() {
    localStorage.removeItem(KEY);
    set({ lines: [] });
  },
}));
