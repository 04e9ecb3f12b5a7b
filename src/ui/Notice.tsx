import type { ReactNode } from 'react';
import type { WireError } from '../bytes/errors';
import { describeError } from './messages';
import { useNameOf } from './names';

interface NoticeProps {
  readonly grave: 'bad' | 'warn' | 'good' | 'calm';
  readonly title: string;
  readonly detail?: string;
  readonly action?: string;
  /** `alert` for what just happened, `status` for what is so, none where a region announces it anyway. */
  readonly role?: 'alert' | 'status';
  readonly children?: ReactNode;
}

export function Notice({ grave, title, detail, action, role, children }: NoticeProps) {
  return (
    <div className="notice" data-grave={grave} role={role}>
      <p>
        <strong>{title}</strong>
      </p>
      {detail && <p>{detail}</p>}
      {action && <p className="action">{action}</p>}
      {children}
    </div>
  );
}

/** An error in the catalogue's words. */
export function ErrorNotice({ error, grave = 'bad', role = 'alert', children }: { error: WireError; grave?: 'bad' | 'warn'; role?: 'alert' | 'status'; children?: ReactNode }) {
  const nameOf = useNameOf();
  return (
    <Notice grave={grave} role={role} {...describeError(error, nameOf)}>
      {children}
    </Notice>
  );
}
