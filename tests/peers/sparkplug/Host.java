// A Sparkplug host application for the tests, on Eclipse Tahu: it tells what it sees, one JSON object a line.
// usage: Host PORT HOST GROUP; a line "offline" or "online" on its input changes its state, "end" ends it.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.eclipse.tahu.host.HostApplication;
import org.eclipse.tahu.host.api.HostApplicationEventHandler;
import org.eclipse.tahu.message.SparkplugBPayloadDecoder;
import org.eclipse.tahu.message.model.DeviceDescriptor;
import org.eclipse.tahu.message.model.EdgeNodeDescriptor;
import org.eclipse.tahu.message.model.Message;
import org.eclipse.tahu.message.model.Metric;
import org.eclipse.tahu.message.model.SparkplugDescriptor;
import org.eclipse.tahu.model.MqttServerDefinition;
import org.eclipse.tahu.mqtt.MqttClientId;
import org.eclipse.tahu.mqtt.MqttServerName;
import org.eclipse.tahu.mqtt.MqttServerUrl;

public final class Host implements HostApplicationEventHandler {
    public static void main(String[] args) throws Exception {
        MqttServerDefinition server = new MqttServerDefinition(
            new MqttServerName("broker"), new MqttClientId("tahu-host", false),
            new MqttServerUrl("tcp://127.0.0.1:" + args[0]), null, null, 5, null);
        HostApplication host = new HostApplication(
            new Host(), args[1], Arrays.asList("spBv1.0/" + args[2] + "/#"), new ArrayList<>(List.of(server)), null,
            new SparkplugBPayloadDecoder(), true);
        host.start(true);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null && !line.equals("end"); line = input.readLine()) {
            host.setOnlineState(line.equals("online"));
        }
        host.shutdown();
        System.exit(0);
    }

    private static String text(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Number || value instanceof Boolean) {
            return value.toString();
        }
        if (value instanceof java.util.Date date) {
            return Long.toString(date.getTime());
        }
        StringBuilder out = new StringBuilder("\"");
        for (char c : value.toString().toCharArray()) {
            out.append(c == '"' || c == '\\' || c < ' ' || c > '~' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
        }
        return out.append('"').toString();
    }

    private static synchronized void tell(String what, SparkplugDescriptor who, Metric metric) {
        StringBuilder out = new StringBuilder("{\"what\": " + text(what));
        if (who != null) {
            out.append(", \"who\": ").append(text(who.getDescriptorString()));
        }
        if (metric != null) {
            out.append(", \"name\": ").append(text(metric.getName()));
            out.append(", \"time\": ").append(text(metric.getTimestamp()));
            out.append(", \"type\": ").append(text(metric.getDataType()));
            out.append(", \"historical\": ").append(Boolean.TRUE.equals(metric.isHistorical()));
            out.append(", \"value\": ").append(text(metric.getValue())).append(", \"properties\": {");
            String comma = "";
            if (metric.getProperties() != null) {
                for (var property : metric.getProperties().getPropertyMap().entrySet()) {
                    out.append(comma).append(text(property.getKey())).append(": ");
                    out.append(text(property.getValue().getValue()));
                    comma = ", ";
                }
            }
            out.append("}");
        }
        System.out.println(out.append("}"));
        System.out.flush();
    }

    @Override public void onConnect() { tell("connect", null, null); }
    @Override public void onDisconnect() { tell("disconnect", null, null); }
    @Override public void onMessage(SparkplugDescriptor who, Message message) { }
    @Override public void onNodeBirthArrived(EdgeNodeDescriptor who, Message message) { }
    @Override public void onNodeBirthComplete(EdgeNodeDescriptor who) { tell("NBIRTH", who, null); }
    @Override public void onNodeDataArrived(EdgeNodeDescriptor who, Message message) { }
    @Override public void onNodeDataComplete(EdgeNodeDescriptor who) { }
    @Override public void onNodeDeath(EdgeNodeDescriptor who, Message message) { }
    @Override public void onNodeDeathComplete(EdgeNodeDescriptor who) { tell("NDEATH", who, null); }
    @Override public void onDeviceBirthArrived(DeviceDescriptor who, Message message) { }
    @Override public void onDeviceBirthComplete(DeviceDescriptor who) { tell("DBIRTH", who, null); }
    @Override public void onDeviceDataArrived(DeviceDescriptor who, Message message) { }
    @Override public void onDeviceDataComplete(DeviceDescriptor who) { }
    @Override public void onDeviceDeath(DeviceDescriptor who, Message message) { }
    @Override public void onDeviceDeathComplete(DeviceDescriptor who) { tell("DDEATH", who, null); }
    @Override public void onBirthMetric(SparkplugDescriptor who, Metric metric) { tell("birth", who, metric); }
    @Override public void onDataMetric(SparkplugDescriptor who, Metric metric) { tell("data", who, metric); }
    @Override public void onStale(SparkplugDescriptor who, Metric metric) { }
}
