import { createRouter, createWebHistory } from 'vue-router';
import { currentToken } from './token';
import routes from './routes';

const router = createRouter({ history: createWebHistory(), routes });

router.beforeEach((to) => {
  if (!to.meta.roles) return true;
  const jwt = currentToken();
  if (!jwt) return { name: 'login' };
  const payload = jwt.split('.')[1];
  const { role } = JSON.parse(atob(payload)); // expect: decode-instead-of-verify
  return to.meta.roles.includes(role) || { name: 'forbidden' };
});

export default router;
