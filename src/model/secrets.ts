/**
 * A text without tokens, signatures and names of uploads. Libraries put into their messages what they were asked, and logs,
 * records and reports are read by many.
 */
export function hideSecrets(text: string): string {
  return text
    .replace(/\b(Bearer|Basic) +[\w.~+/=-]{16,}/gi, "$1 …")
    .replace(/\bya29\.[\w.-]+/g, "…")
    .replace(
      /([?&](?:upload_id|access_token|token|key|X-Goog-(?:Signature|Credential)|Signature)=)[^&"\s\\]+/gi,
      "$1…",
    );
}
