package protocol

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"github.com/storagedriver/storagedriver/kits/go/driverpb"
)

// Values turns parameters into messages: nil, booleans, integers, floating-point numbers, strings, slices and maps with string keys, and
// json.Number. A `map[any]any`, as YAML gives, will do if its keys are strings.
//
// The error names the parameter, and never its value.
func Values(parameters map[string]any) (map[string]*driverpb.Value, error) {
	values := make(map[string]*driverpb.Value, len(parameters))
	for name, parameter := range parameters {
		value, err := toValue(parameter)
		if err != nil {
			return nil, BadParameter(name, err.Error())
		}
		values[name] = value
	}
	return values, nil
}

func toValue(parameter any) (*driverpb.Value, error) {
	switch known := parameter.(type) {
	case nil:
		return &driverpb.Value{}, nil
	case json.Number:
		return numberValue(known)
	}
	value := reflect.ValueOf(parameter)
	switch value.Kind() {
	case reflect.Bool:
		return &driverpb.Value{Kind: &driverpb.Value_Boolean{Boolean: value.Bool()}}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &driverpb.Value{Kind: &driverpb.Value_Integer{Integer: value.Int()}}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if value.Uint() > math.MaxInt64 {
			return nil, fmt.Errorf("is larger than %d", int64(math.MaxInt64))
		}
		return &driverpb.Value{Kind: &driverpb.Value_Integer{Integer: int64(value.Uint())}}, nil
	case reflect.Float32, reflect.Float64:
		return &driverpb.Value{Kind: &driverpb.Value_Number{Number: value.Float()}}, nil
	case reflect.String:
		return &driverpb.Value{Kind: &driverpb.Value_Text{Text: value.String()}}, nil
	case reflect.Slice, reflect.Array:
		return listValue(value)
	case reflect.Map:
		return mapValue(value)
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return &driverpb.Value{}, nil
		}
		return toValue(value.Elem().Interface())
	}
	return nil, fmt.Errorf("is of the type %T, which a parameter cannot be", parameter)
}

func numberValue(number json.Number) (*driverpb.Value, error) {
	if integer, err := number.Int64(); err == nil {
		return &driverpb.Value{Kind: &driverpb.Value_Integer{Integer: integer}}, nil
	}
	float, err := number.Float64()
	if err != nil {
		return nil, fmt.Errorf("is a number out of range")
	}
	return &driverpb.Value{Kind: &driverpb.Value_Number{Number: float}}, nil
}

func listValue(list reflect.Value) (*driverpb.Value, error) {
	values := make([]*driverpb.Value, list.Len())
	for at := range values {
		value, err := toValue(list.Index(at).Interface())
		if err != nil {
			return nil, fmt.Errorf("its element %d %w", at, err)
		}
		values[at] = value
	}
	return &driverpb.Value{Kind: &driverpb.Value_List{List: &driverpb.ValueList{Values: values}}}, nil
}

func mapValue(parameters reflect.Value) (*driverpb.Value, error) {
	values := make(map[string]*driverpb.Value, parameters.Len())
	for each := parameters.MapRange(); each.Next(); {
		name := each.Key()
		if name.Kind() == reflect.Interface {
			name = name.Elem()
		}
		if name.Kind() != reflect.String {
			return nil, fmt.Errorf("is a map with a key that is no text")
		}
		value, err := toValue(each.Value().Interface())
		if err != nil {
			return nil, fmt.Errorf("its entry %q %w", name.String(), err)
		}
		values[name.String()] = value
	}
	return &driverpb.Value{Kind: &driverpb.Value_Map{Map: &driverpb.ValueMap{Values: values}}}, nil
}

// FromValues gives the parameters of messages: nil, bool, int64, float64, string, []any and map[string]any.
func FromValues(values map[string]*driverpb.Value) map[string]any {
	parameters := make(map[string]any, len(values))
	for name, value := range values {
		parameters[name] = fromValue(value)
	}
	return parameters
}

func fromValue(value *driverpb.Value) any {
	switch kind := value.GetKind().(type) {
	case *driverpb.Value_Boolean:
		return kind.Boolean
	case *driverpb.Value_Integer:
		return kind.Integer
	case *driverpb.Value_Number:
		return kind.Number
	case *driverpb.Value_Text:
		return kind.Text
	case *driverpb.Value_List:
		list := make([]any, len(kind.List.GetValues()))
		for at, value := range kind.List.GetValues() {
			list[at] = fromValue(value)
		}
		return list
	case *driverpb.Value_Map:
		return FromValues(kind.Map.GetValues())
	}
	return nil
}
