package widemerge.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/** One pair per way of writing; the tables of each as in checkpoint.py beside this project. */
final class CheckpointWriter {
  private static final String KEY = "interval_time";
  private static final PrimitiveType KEY_COLUMN = Types.required(PrimitiveTypeName.INT64)
      .as(LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS))
      .named(KEY);
  private static final long START = 1_704_067_200_000_000L;
  private static final long STEP = 300_000_000L;
  private static final int ROWS = 300;
  /** Delta byte arrays of fixed length come out of this one, which Polars does not read: spliced columns only. */
  private static final String V2_PLAIN = "java_v2_plain";

  private record Way(String pair, CompressionCodecName codec, WriterVersion version, boolean dictionary, int groupRows) {}

  private static final List<Way> WAYS = List.of(
      new Way("java_snappy", CompressionCodecName.SNAPPY, WriterVersion.PARQUET_1_0, true, 1_000_000),
      new Way("java_zstd_v2", CompressionCodecName.ZSTD, WriterVersion.PARQUET_2_0, true, 1_000_000),
      new Way("java_gzip_plain", CompressionCodecName.GZIP, WriterVersion.PARQUET_1_0, false, 1_000_000),
      new Way("java_none", CompressionCodecName.UNCOMPRESSED, WriterVersion.PARQUET_1_0, false, 1_000_000),
      new Way(V2_PLAIN, CompressionCodecName.SNAPPY, WriterVersion.PARQUET_2_0, false, 1_000_000),
      new Way("java_lz4", CompressionCodecName.LZ4_RAW, WriterVersion.PARQUET_1_0, true, 1_000_000),
      new Way("java_bloom", CompressionCodecName.SNAPPY, WriterVersion.PARQUET_1_0, true, 1_000_000),
      new Way("java_groups", CompressionCodecName.SNAPPY, WriterVersion.PARQUET_1_0, true, 120));

  private final Path folder;

  CheckpointWriter(Path folder) {
    this.folder = folder;
  }

  void writeAll() throws IOException {
    List<String> cases = new ArrayList<>();
    for (Way way : WAYS) cases.add(writePair(way));
    Files.writeString(folder.resolve("cases.json"), "[" + String.join(",", cases) + "]");
  }

  private String writePair(Way way) throws IOException {
    Path pair = Files.createDirectories(folder.resolve(way.pair()));
    List<Integer> all = IntStream.range(0, ROWS).boxed().toList();
    List<Integer> more = IntStream.range(-20, ROWS + 20).boxed().toList();
    List<Integer> fewer = all.stream().filter(row -> row % 5 != 0).toList();
    List<Integer> shuffled = new ArrayList<>(all);
    Collections.shuffle(shuffled, new Random(7));
    Map<String, String> actions = new LinkedHashMap<>();
    write(way, pair, "targets", all, Columns.COMMON.subList(6, 8), actions, "splice");
    List<PrimitiveType> joined = way.pair().equals(V2_PLAIN) ? Columns.COMMON.subList(0, 12) : Columns.COMMON;
    write(way, pair, "alike_" + way.pair(), all, Columns.COMMON, actions, "splice");
    write(way, pair, "odd_" + way.pair(), all, Columns.EXOTIC, actions, "splice");
    write(way, pair, "gaps_" + way.pair(), fewer, joined, actions, "align");
    write(way, pair, "extra_" + way.pair(), more, joined, actions, "align");
    write(way, pair, "shuffled_" + way.pair(), shuffled, joined, actions, "align");
    Files.createFile(pair.resolve("_COMPLETE"));
    return toCase(way, actions);
  }

  private void write(
      Way way, Path pair, String table, List<Integer> steps, List<PrimitiveType> columns, Map<String, String> actions, String action)
      throws IOException {
    actions.put(table, action);
    MessageType schema = Types.buildMessage().addField(KEY_COLUMN).addFields(columns.toArray(PrimitiveType[]::new)).named("table");
    Random draw = new Random(table.hashCode());
    try (ParquetWriter<Group> writer = open(way, pair.resolve(table + ".parquet"), schema)) {
      for (int step : steps) {
        Group row = new SimpleGroup(schema);
        row.append(KEY, START + step * STEP);
        for (PrimitiveType column : columns) Columns.addValue(row, column, draw);
        writer.write(row);
      }
    }
  }

  private static ParquetWriter<Group> open(Way way, Path file, MessageType schema) throws IOException {
    ExampleParquetWriter.Builder builder = ExampleParquetWriter.builder(new LocalOutputFile(file))
        .withConf(new PlainParquetConfiguration())
        .withType(schema)
        .withCompressionCodec(way.codec())
        .withWriterVersion(way.version())
        .withDictionaryEncoding(way.dictionary())
        .withPageWriteChecksumEnabled(true)
        .withPageRowCountLimit(50)
        .withRowGroupRowCountLimit(way.groupRows());
    if (way.pair().equals("java_bloom")) {
      for (String name : List.of("int32", "int64", "float64", "string", "uuid")) {
        if (schema.containsField(name)) builder.withDictionaryEncoding(name, false).withBloomFilterEnabled(name, true).withBloomFilterNDV(name, ROWS);
      }
    }
    return builder.build();
  }

  private static String toCase(Way way, Map<String, String> actions) {
    String listed = actions.entrySet().stream()
        .map(entry -> Json.quote(entry.getKey()) + ":" + Json.quote(entry.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
    String unreadable = way.pair().equals(V2_PLAIN) ? "[\"polars\"]" : "[]";
    return "{\"pair\":" + Json.quote(way.pair()) + ",\"settings\":[],\"unreadable\":" + unreadable + ",\"actions\":" + listed + "}";
  }
}
