/**
 * Removes tokens, signatures and upload ids from a text. Client libraries quote requests in their error messages, and many
 * people read logs, records and reports.
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
