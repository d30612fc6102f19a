// The press: a machine with axes, structures, alarms, and a server that can misbehave in the ways the field reports.
//
// Options (all off): press (true adds the machine), folders (extra nodes in one folder), lies ({read, items}: most
// nodes taken in one request, whatever the limits state), refuseFilters (no deadband), hasty (samples so many times
// as fast as asked).

export function nodesets(opcua, options, here) {
  return options.press ? [opcua.nodesets.standard, here("press.xml")] : [opcua.nodesets.standard];
}

export function press({ opcua, server, space, own, options, commands, types }) {
  misbehave({ opcua, server, options });
  if (!options.press) {
    return;
  }
  const { DataType, Variant, VariantArrayType, standardUnits, StatusCodes } = opcua;
  const theirs = space.getNamespaceIndex("urn:test:press");
  const machine = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Press", nodeId: "s=Press", eventNotifier: 1, notifierOf: space.rootFolder.objects.server });
  const axes = own.addObject({ componentOf: machine, browseName: "Axes", nodeId: "s=Press.Axes" });
  for (const name of ["X", "Y"]) {
    const axis = own.addObject({ componentOf: axes, browseName: name, nodeId: `s=Press.${name}` });
    own.addAnalogDataItem({
      componentOf: axis,
      browseName: "ActualPosition",
      nodeId: `s=Press.${name}.ActualPosition`,
      definition: "",
      valuePrecision: 0.5,
      engineeringUnitsRange: { low: 0, high: 200 },
      instrumentRange: { low: -10, high: 400 },
      engineeringUnits: standardUnits.millimetre,
      dataType: "Double",
      minimumSamplingInterval: 0,
      value: { dataType: DataType.Double, value: 12.5 },
    });
    types.set(`Press.${name}.ActualPosition`, "Double");
    axis.addReference({ referenceType: "Organizes", nodeId: machine }); // back to its own ancestor: a loop
  }
  own.addMultiStateDiscrete({
    componentOf: machine,
    browseName: "Mode",
    nodeId: "s=Press.Mode",
    enumStrings: ["Hand", "Automatik", "Einrichten"],
    value: 1,
  });
  const kind = (number) => space.findDataType(opcua.coerceNodeId(`ns=${theirs};i=${number}`));
  const structure = (name, number, value, more = {}) =>
    own.addVariable({
      componentOf: machine,
      browseName: name,
      nodeId: `s=Press.${name}`,
      dataType: kind(number).nodeId,
      minimumSamplingInterval: 0,
      value: { dataType: DataType.ExtensionObject, value },
      ...more,
    });
  const make = (number, fields) => space.constructExtensionObject(kind(number), fields);
  const axis = (name, position, state, levels) =>
    make(3003, { name, position, state, active: state === 3, levels: new Int16Array(levels) });
  const state = (count, position, more = {}) =>
    make(3004, {
      count,
      origin: make(3002, { x: 1.5, y: -2 }),
      axes: [axis("X", position, 3, [1, 2, 3]), axis("Y", 7.25, 0, [])],
      started: new Date(Date.UTC(2026, 0, 1)),
      cycle: 1234.5,
      ...more,
    });
  const machineState = structure("State", 3004, state(5, 0.5, { note: "정상" }));
  structure("Result", 3005, make(3005, { force: 98.5 }));
  const points = [make(3002, { x: 1, y: 2 }), make(3002, { x: 3, y: 4 })];
  structure("Points", 3002, points, {
    valueRank: 1,
    value: { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: points },
  });
  own.addVariable({
    componentOf: machine,
    browseName: "AxisState",
    nodeId: "s=Press.AxisState",
    dataType: kind(3001).nodeId,
    value: { dataType: DataType.Int32, value: 3 },
  });
  own.addVariable({
    componentOf: machine,
    browseName: "Table",
    nodeId: "s=Press.Table",
    dataType: "Int32",
    valueRank: 2,
    arrayDimensions: [2, 3],
    value: { dataType: DataType.Int32, arrayType: VariantArrayType.Matrix, dimensions: [2, 3], value: new Int32Array([1, 2, 3, 4, 5, 6]) },
  });
  own.addVariable({
    componentOf: machine,
    browseName: "Anything",
    nodeId: "s=Press.Anything",
    dataType: "BaseDataType",
    value: { dataType: DataType.UInt16, value: 9 },
  });
  const guard = own.addVariable({
    componentOf: machine,
    browseName: "GuardOpen",
    nodeId: "s=Press.GuardOpen",
    dataType: "Boolean",
    value: { dataType: DataType.Boolean, value: false },
  });
  const door = own.addObject({ componentOf: machine, browseName: "Door", nodeId: "s=Press.Door", eventSourceOf: machine });
  const big = own.addObject({ componentOf: machine, browseName: "Many", nodeId: "s=Press.Many" });
  for (let i = 0; i < (options.folders ?? 0); i += 1) {
    own.addVariable({ componentOf: big, browseName: `n${i}`, nodeId: `s=Press.Many.${i}`, dataType: "Int32", value: { dataType: DataType.Int32, value: i } });
  }

  const alarm = own.instantiateOffNormalAlarm({
    browseName: "GuardAlarm",
    nodeId: "s=Press.GuardAlarm",
    componentOf: machine,
    conditionSource: door,
    conditionOf: door,
    conditionName: "Guard",
    inputNode: guard,
    normalState: guard,
  });
  alarm.severity.setValueFromSource({ dataType: DataType.UInt16, value: 700 });

  Object.assign(commands, {
    // The guard alarm comes or goes, is acknowledged or not; as `quiet` without an event.
    alarm({ active, acked, message, severity, quiet }) {
      const branch = alarm.currentBranch();
      branch.setActiveState(active);
      branch.setAckedState(acked);
      branch.setRetain(active || !acked);
      branch.setMessage(message);
      branch.setSeverity(severity);
      if (!quiet) {
        alarm.raiseNewCondition({ message, severity, retain: active || !acked, quality: StatusCodes.Good });
      }
    },
    // A plain event of the press, or of a standard type.
    event({ type = "BaseEventType", message, severity, count = 1, source }) {
      const from = source === "server" ? space.rootFolder.objects.server : machine;
      for (let i = 0; i < count; i += 1) {
        from.raiseEvent(type, {
          message: { dataType: DataType.LocalizedText, value: { text: message.replace("#", String(i)) } },
          severity: { dataType: DataType.UInt16, value: severity },
        });
      }
    },
    // The structure's counter and the position of its first axis.
    state({ count, position }) {
      machineState.setValueFromSource({ dataType: DataType.ExtensionObject, value: state(count, position) });
    },
    elements({ node, type, values }) {
      const variant = new Variant({ dataType: DataType[type], arrayType: VariantArrayType.Array, value: values });
      space.findNode(`ns=1;s=${node}`).setValueFromSource(variant);
    },
  });
}

function misbehave({ opcua, server, options }) {
  const { StatusCodes, ServiceFault, ResponseHeader } = opcua;
  const lie = (handler, field, most) => {
    const honest = server[handler].bind(server);
    server[handler] = (message, channel) => {
      const asked = message.request[field] ?? [];
      if (most === undefined || asked.length <= most) {
        return honest(message, channel);
      }
      const fault = new ServiceFault({ responseHeader: { serviceResult: StatusCodes.BadTooManyOperations } });
      return channel.send_response("MSG", fault, message);
    };
  };
  lie("_on_ReadRequest", "nodesToRead", options.lies?.read);
  lie("_on_CreateMonitoredItemsRequest", "itemsToCreate", options.lies?.items);
  lie("_on_BrowseRequest", "nodesToBrowse", options.lies?.browse);
  if (options.refuseFilters || options.hasty) {
    const { Subscription } = opcua;
    const honest = Subscription.prototype.preCreateMonitoredItem;
    Subscription.prototype.preCreateMonitoredItem = function create(space, timestamps, request) {
      const asked = request.requestedParameters;
      if (options.refuseFilters && asked.filter?.schema?.name === "DataChangeFilter") {
        return {
          monitoredItemCreateRequest: request,
          createResult: new opcua.MonitoredItemCreateResult({ statusCode: StatusCodes.BadMonitoredItemFilterUnsupported }),
        };
      }
      if (options.hasty) {
        asked.samplingInterval /= options.hasty;
      }
      return honest.call(this, space, timestamps, request);
    };
  }
}
