import { Component, type ReactNode } from "react";
import { usePreferences } from "./settings";

/** What failed, and the way out, instead of an empty page. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    return this.state.error ? <Failed error={this.state.error} /> : this.props.children;
  }
}

function Failed({ error }: { error: Error }) {
  const { t } = usePreferences();
  return (
    <main className="failed" role="alert">
      <p>{t("app.failed", { what: error.message })}</p>
      <button type="button" className="toggle" onClick={() => location.reload()}>
        {t("app.reload")}
      </button>
    </main>
  );
}
