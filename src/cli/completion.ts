import { Argument, type Command } from "commander";
import { ExitCode } from "../model/exit-code.ts";
import { CodedCommand } from "./command.ts";
import { printOwnText } from "./print.ts";

const guide = `
Examples:
  bash:  echo 'source <(widemerge completion bash)' >> ~/.bashrc
  zsh:   widemerge completion zsh > "\${fpath[1]}/_widemerge"
  fish:  widemerge completion fish > ~/.config/fish/completions/widemerge.fish
`;

/** The command `widemerge completion <shell>`; `load` returns every command of the program. */
export function completionCommand(load: () => Promise<readonly Command[]>): CodedCommand {
  const printScript = async (shell: Shell): Promise<ExitCode> => {
    printOwnText(scripts[shell](listCommands(await load())));
    return ExitCode.done;
  };
  return new CodedCommand("completion")
    .addArgument(new Argument("<shell>", "the shell that completes").choices(Object.keys(scripts)))
    .description("print a script with which a shell completes commands, flags and their values")
    .addHelpText("after", guide)
    .runs(printScript);
}

interface Flag {
  readonly name: string;
  readonly text: string;
  readonly takesValue: boolean;
  /** The words that its value can be, where it has such words. */
  readonly values: readonly string[];
}

interface Completed {
  readonly name: string;
  readonly text: string;
  readonly flags: readonly Flag[];
}

function listCommands(commands: readonly Command[]): readonly Completed[] {
  return commands.map((command) => ({
    name: command.name(),
    text: command.description(),
    flags: [
      ...command.options.map(({ long, flags, description, argChoices }) => ({
        name: long ?? flags,
        text: description.replace(/ \(WIDEMERGE_.*\)$/, ""),
        takesValue: flags.includes("<"),
        values: argChoices ?? wordsOf(flags),
      })),
      { name: "--help", text: "display help for the command", takesValue: false, values: [] },
    ],
  }));
}

/** `--duplicates <error|first|last>` → the three words; places for numbers and names are no words. */
function wordsOf(flags: string): readonly string[] {
  const [, inside = ""] = /<(.*)>/.exec(flags) ?? [];
  return inside.includes("|") ? inside.split("|").filter((word) => word !== "n" && word !== "file") : [];
}

const scripts = { bash: renderBash, zsh: renderZsh, fish: renderFish };
type Shell = keyof typeof scripts;

function renderBash(commands: readonly Completed[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const values = uniqueFlags(commands).filter((flag) => flag.values.length > 0);
  const valueCases = values.map((flag) => `    ${flag.name}) words="${flag.values.join(" ")}" ;;`);
  const flagCases = commands.map(
    ({ name, flags }) => `    ${name}) words="${flags.map((flag) => flag.name).join(" ")}" ;;`,
  );
  return `# bash completion of widemerge
_widemerge() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${names}"
  else case "\${COMP_WORDS[COMP_CWORD - 1]}" in
${valueCases.join("\n")}
    *) case "$current" in -*) case "\${COMP_WORDS[1]}" in
${flagCases.join("\n")}
    esac ;; esac ;;
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _widemerge widemerge
`;
}

function renderZsh(commands: readonly Completed[]): string {
  const describe = (name: string, text: string): string =>
    `'${name}:${text.replaceAll("'", "'\\''").replaceAll(":", "\\:")}'`;
  const cases = commands.map(
    ({ name, flags }) => `    ${name}) flags=(${flags.map((flag) => describe(flag.name, flag.text)).join(" ")}) ;;`,
  );
  const values = uniqueFlags(commands).filter((flag) => flag.values.length > 0);
  return `#compdef widemerge
_widemerge() {
  local -a commands flags
  commands=(${commands.map(({ name, text }) => describe(name, text)).join(" ")})
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[CURRENT-1] in
${values.map((flag) => `    ${flag.name}) compadd -- ${flag.values.join(" ")}; return ;;`).join("\n")}
  esac
  case $words[2] in
${cases.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe flag flags; else _files; fi
}
compdef _widemerge widemerge
`;
}

function renderFish(commands: readonly Completed[]): string {
  const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, text, flags }) => [
    `complete -c widemerge -n __fish_use_subcommand -f -a ${name} -d ${quote(text)}`,
    ...flags.map((flag) => {
      const values = flag.values.length > 0 ? ` -f -a ${quote(flag.values.join(" "))}` : "";
      const value = flag.takesValue ? ` -r${values}` : "";
      return `complete -c widemerge -n '__fish_seen_subcommand_from ${name}' -l ${flag.name.slice(2)}${value} -d ${quote(flag.text)}`;
    }),
  ]);
  return `# fish completion of widemerge\n${lines.join("\n")}\n`;
}

/** Each flag once: its values are the same in every command. */
function uniqueFlags(commands: readonly Completed[]): readonly Flag[] {
  return [...new Map(commands.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag])).values()];
}
