import { Injectable } from '@angular/core';
import { TokenMemory } from './token-memory';

@Injectable({ providedIn: 'root' })
export class PermissionService {
  constructor(private readonly memory: TokenMemory) {}

  can(permission: string): boolean {
    const token = this.memory.current;
    if (!token) return false;
    const payload = JSON.parse(atob(token.split('.')[1])); // expect: decode-instead-of-verify
    return payload.permissions.includes(permission);
  }

  label(permission: string): string {
    return permission.split('.')[1] ?? permission;
  }
}
