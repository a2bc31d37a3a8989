export function childrenOf(parent: number): number[];
export function gone(pid: number): boolean;
export function stateOf(pid: number): string | undefined;
