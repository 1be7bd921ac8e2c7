export function typeOf(schema: unknown): string;
export function wireOf(document: unknown): string;
export function fresh(): string;
export function committed(): string;
