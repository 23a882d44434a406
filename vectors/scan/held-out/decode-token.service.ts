import { Injectable } from '@angular/core';
import { jwtDecode, type JwtPayload } from 'jwt-decode';

interface Claims extends JwtPayload {
  departments?: string[];
}

@Injectable({ providedIn: 'root' })
export class DepartmentService {
  departments(token: string): string[] {
    return jwtDecode<Claims>(token).departments ?? []; // expect: decode-instead-of-verify
  }

  mayApprove(token: string, department: string): boolean {
    return this.departments(token).includes(department);
  }
}
