/** A short span of wall-clock time: `0.2 s`, `12 s`, `3 min`. */
export function relativeAge(ms: number, language: string): string {
  const s = Math.max(0, ms) / 1000;
  const [second, minute, hour] = language === "zh-CN" ? [" 秒", " 分钟", " 小时"] : [" s", " min", " h"];
  if (s < 10) return s.toFixed(1) + second;
  if (s < 120) return Math.floor(s) + second;
  return s < 7200 ? Math.floor(s / 60) + minute : Math.floor(s / 3600) + hour;
}

/** How long a position was held: `7 h 44 m`. */
export function held(seconds: number, language: string): string {
  const zh = language === "zh-CN";
  const [d, h, m] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (d) return zh ? `${d} 天 ${h} 小时` : `${d} d ${h} h`;
  if (h) return zh ? `${h} 小时 ${m} 分` : `${h} h ${m} m`;
  if (m) return zh ? `${m} 分 ${seconds % 60} 秒` : `${m} m ${seconds % 60} s`;
  return zh ? `${seconds} 秒` : `${seconds} s`;
}
