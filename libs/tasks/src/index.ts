export { type BuiltInTasks, type BuiltInTasksParams, builtInTasks } from './built-in.ts';
export type { HttpAllowance } from './host-rule.ts';
