export const CONTENT_SECURITY_POLICY: string;
export const META_POLICY: string;
export const SECURITY_HEADERS: Record<string, string>;
export const DEVELOPMENT_HEADERS: Record<string, string>;
