package widemerge.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Two commands. {@code write <folder>} writes checkpoints and a cases.json beside them. {@code read} takes lines
 * "parquet file TAB json file" on standard input and writes what parquet-java saw in each file as canonical JSON.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length == 2 && arguments[0].equals("write")) {
      new CheckpointWriter(Path.of(arguments[1])).writeAll();
    } else if (arguments.length == 1 && arguments[0].equals("read")) {
      readAll();
    } else {
      System.err.println("write <folder> | read");
      System.exit(2);
    }
  }

  private static void readAll() throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] paths = line.split("\t");
      Files.writeString(Path.of(paths[1]), describe(Path.of(paths[0])));
    }
  }

  private static String describe(Path file) {
    try {
      return TableReader.describe(file);
    } catch (IOException | RuntimeException error) {
      return "{\"error\":" + Json.quote(error.toString()) + "}";
    }
  }
}
