package widemerge.interop;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/** What parquet-java sees in one file: its values as canonical texts, and the state of its indexes. */
final class TableReader {
  private TableReader() {}

  /** {"rows", "names", "columns": {name: [texts]}, "indexes": {…}} of a file with flat columns. */
  static String describe(Path file) throws IOException {
    MessageType schema = schemaOf(file);
    List<List<String>> columns = new ArrayList<>();
    schema.getFields().forEach(field -> columns.add(new ArrayList<>()));
    long rows = 0;
    try (ParquetReader<Group> reader = open(file, FilterCompat.NOOP)) {
      for (Group row = reader.read(); row != null; row = reader.read(), rows += 1) addRow(row, schema, columns);
    }
    return toJson(rows, schema, columns, Indexes.describe(file));
  }

  static MessageType schemaOf(Path file) throws IOException {
    try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file))) {
      return reader.getFileMetaData().getSchema();
    }
  }

  static ParquetReader<Group> open(Path file, FilterCompat.Filter filter) throws IOException {
    return new Builder(file).withFilter(filter).usePageChecksumVerification(true).build();
  }

  private static void addRow(Group row, MessageType schema, List<List<String>> columns) {
    for (int column = 0; column < columns.size(); column += 1) {
      Type field = schema.getFields().get(column);
      if (!field.isPrimitive()) throw new IllegalArgumentException("nested column " + field.getName());
      columns.get(column).add(Canon.value(row, column, field.asPrimitiveType()));
    }
  }

  private static String toJson(long rows, MessageType schema, List<List<String>> columns, String indexes) {
    StringBuilder out = new StringBuilder("{\"rows\":" + rows + ",\"names\":");
    out.append(Json.list(schema.getFields().stream().map(Type::getName).toList())).append(",\"columns\":{");
    for (int column = 0; column < columns.size(); column += 1) {
      if (column > 0) out.append(',');
      out.append(Json.quote(schema.getFieldName(column))).append(':').append(Json.list(columns.get(column)));
    }
    return out.append("},\"indexes\":").append(indexes).append('}').toString();
  }

  private static final class Builder extends ParquetReader.Builder<Group> {
    Builder(Path file) {
      super(new LocalInputFile(file), new PlainParquetConfiguration());
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }
}
